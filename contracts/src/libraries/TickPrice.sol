// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title What a tick of Uniswap v3 stands for
/// @notice The price at a tick is 1.0001**tick of token1 per token0, in their smallest units.
library TickPrice {
    int24 internal constant MIN_TICK = -887272;
    int24 internal constant MAX_TICK = 887272;

    /// @dev 1.0001**(-(2**i) / 2) in Q128.128 for i = 0..19, 16 bytes each, rounded as Uniswap's TickMath has them.
    bytes private constant POWERS_X128 = hex"fffcb933bd6fad37aa2d162d1a594001"
        hex"fff97272373d413259a46990580e213a" hex"fff2e50f5f656932ef12357cf3c7fdcc"
        hex"ffe5caca7e10e4e61c3624eaa0941cd0" hex"ffcb9843d60f6159c9db58835c926644"
        hex"ff973b41fa98c081472e6896dfb254c0" hex"ff2ea16466c96a3843ec78b326b52861"
        hex"fe5dee046a99a2a811c461f1969c3053" hex"fcbe86c7900a88aedcffc83b479aa3a4"
        hex"f987a7253ac413176f2b074cf7815e54" hex"f3392b0822b70005940c7a398e4b70f3"
        hex"e7159475a2c29b7443b29c7fa6e889d9" hex"d097f3bdfd2022b8845ad8f792aa5825"
        hex"a9f746462d870fdf8a65dc1f90e061e5" hex"70d869a156d2a1b890bb3df62baf32f7"
        hex"31be135f97d08fd981231505542fcfa6" hex"09aa508b5b7a84e1c677de54f3e99bc9"
        hex"005d6af8dedb81196699c329225ee604" hex"00002216e584f5fa1ea926041bedfe98"
        hex"00000000048a170391f7dc42444e8fa2";

    /// @notice The square root of the price at a tick, in Q64.96, equal to what Uniswap's pools compute.
    /// @dev Ticks outside the range are taken for its ends.
    function sqrtRatioAtTick(int24 tick) internal pure returns (uint160) {
        if (tick < MIN_TICK) tick = MIN_TICK;
        if (tick > MAX_TICK) tick = MAX_TICK;
        uint256 distance = uint24(tick < 0 ? -tick : tick);
        bytes memory powers = POWERS_X128;
        uint256 ratioX128 = 1 << 128;
        for (uint256 at = 32; distance != 0; (distance >>= 1, at += 16)) {
            if (distance & 1 == 0) continue;
            uint256 power;
            assembly ("memory-safe") {
                power := shr(128, mload(add(powers, at)))
            }
            ratioX128 = (ratioX128 * power) >> 128;
        }
        if (tick > 0) ratioX128 = type(uint256).max / ratioX128;
        // At the highest tick the ratio has 160 bits.
        return uint160((ratioX128 + type(uint32).max) >> 32);
    }

    /// @notice What an amount of one token is worth in the other at a tick, rounded down.
    /// @param zeroForOne Whether the amount is of token0.
    function quoteAtTick(int24 tick, uint256 amountIn, bool zeroForOne) internal pure returns (uint256) {
        uint256 sqrtRatioX96 = sqrtRatioAtTick(tick);
        (uint256 numerator, uint256 denominator) =
            zeroForOne ? (sqrtRatioX96, uint256(1 << 96)) : (uint256(1 << 96), sqrtRatioX96);
        return Math.mulDiv(Math.mulDiv(amountIn, numerator, denominator), numerator, denominator);
    }
}
