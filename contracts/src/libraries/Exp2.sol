// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Two to the power of a fixed-point number
/// @notice The same integers as defai/models/exponential.py: what a model that sums up a logarithm says.
library Exp2 {
    int256 private constant LOWEST_X24 = -24 * 2 ** 24;
    int256 private constant HIGHEST_X24 = 15 * 2 ** 24 - 1;

    /// @notice Two to the power of a number times 2**24, itself times 2**24.
    /// @dev One multiplication for each bit of the fraction that is set, by 2**(2**-k) times 2**64, rounded down.
    /// @param exponentX24 Limited to -24..15, so that the answer is between 1 and 2**39.
    function exp2(int256 exponentX24) internal pure returns (int256 value) {
        if (exponentX24 < LOWEST_X24) exponentX24 = LOWEST_X24;
        if (exponentX24 > HIGHEST_X24) exponentX24 = HIGHEST_X24;
        assembly ("memory-safe") {
            let fraction := and(exponentX24, 0xffffff)
            let power := shl(64, 1)
            if and(fraction, 0x800000) { power := shr(64, mul(power, 0x16a09e667f3bcc908)) }
            if and(fraction, 0x400000) { power := shr(64, mul(power, 0x1306fe0a31b7152de)) }
            if and(fraction, 0x200000) { power := shr(64, mul(power, 0x1172b83c7d517adcd)) }
            if and(fraction, 0x100000) { power := shr(64, mul(power, 0x10b5586cf9890f629)) }
            if and(fraction, 0x80000) { power := shr(64, mul(power, 0x1059b0d31585743ae)) }
            if and(fraction, 0x40000) { power := shr(64, mul(power, 0x102c9a3e778060ee6)) }
            if and(fraction, 0x20000) { power := shr(64, mul(power, 0x10163da9fb33356d8)) }
            if and(fraction, 0x10000) { power := shr(64, mul(power, 0x100b1afa5abcbed61)) }
            if and(fraction, 0x8000) { power := shr(64, mul(power, 0x10058c86da1c09ea1)) }
            if and(fraction, 0x4000) { power := shr(64, mul(power, 0x1002c605e2e8cec50)) }
            if and(fraction, 0x2000) { power := shr(64, mul(power, 0x100162f3904051fa1)) }
            if and(fraction, 0x1000) { power := shr(64, mul(power, 0x1000b175effdc76ba)) }
            if and(fraction, 0x800) { power := shr(64, mul(power, 0x100058ba01fb9f96d)) }
            if and(fraction, 0x400) { power := shr(64, mul(power, 0x10002c5cc37da9491)) }
            if and(fraction, 0x200) { power := shr(64, mul(power, 0x1000162e525ee0547)) }
            if and(fraction, 0x100) { power := shr(64, mul(power, 0x10000b17255775c04)) }
            if and(fraction, 0x80) { power := shr(64, mul(power, 0x1000058b91b5bc9ae)) }
            if and(fraction, 0x40) { power := shr(64, mul(power, 0x100002c5c89d5ec6c)) }
            if and(fraction, 0x20) { power := shr(64, mul(power, 0x10000162e43f4f831)) }
            if and(fraction, 0x10) { power := shr(64, mul(power, 0x100000b1721bcfc99)) }
            if and(fraction, 0x8) { power := shr(64, mul(power, 0x10000058b90cf1e6d)) }
            if and(fraction, 0x4) { power := shr(64, mul(power, 0x1000002c5c863b73f)) }
            if and(fraction, 0x2) { power := shr(64, mul(power, 0x100000162e430e5a1)) }
            if and(fraction, 0x1) { power := shr(64, mul(power, 0x1000000b172183551)) }
            value := shr(sub(40, sar(24, exponentX24)), power)
        }
    }
}
