// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title What a tick of Uniswap v3 stands for
/// @notice The price at a tick is 1.0001**tick of token1 per token0, in their smallest units.
library TickPrice {
    int24 internal constant MIN_TICK = -887272;
    int24 internal constant MAX_TICK = 887272;

    /// @notice The square root of the price at a tick, in Q64.96, equal to what Uniswap's pools compute.
    /// @dev Ticks outside the range are taken for its ends.
    /// @dev A factor of 1.0001**(-(2**i) / 2), in Q128.128 and rounded as Uniswap's TickMath has it, for each bit i of the
    /// distance from zero. Written out, for a loop over them costs several times as much.
    function sqrtRatioAtTick(int24 tick) internal pure returns (uint160) {
        if (tick < MIN_TICK) tick = MIN_TICK;
        if (tick > MAX_TICK) tick = MAX_TICK;
        // Each factor is below one, so nothing overflows.
        unchecked {
            uint256 distance = uint256(int256(tick < 0 ? -tick : tick));
            uint256 ratioX128 = 1 << 128;
            if (distance & 0x1 != 0) ratioX128 = (ratioX128 * 0xfffcb933bd6fad37aa2d162d1a594001) >> 128;
            if (distance & 0x2 != 0) ratioX128 = (ratioX128 * 0xfff97272373d413259a46990580e213a) >> 128;
            if (distance & 0x4 != 0) ratioX128 = (ratioX128 * 0xfff2e50f5f656932ef12357cf3c7fdcc) >> 128;
            if (distance & 0x8 != 0) ratioX128 = (ratioX128 * 0xffe5caca7e10e4e61c3624eaa0941cd0) >> 128;
            if (distance & 0x10 != 0) ratioX128 = (ratioX128 * 0xffcb9843d60f6159c9db58835c926644) >> 128;
            if (distance & 0x20 != 0) ratioX128 = (ratioX128 * 0xff973b41fa98c081472e6896dfb254c0) >> 128;
            if (distance & 0x40 != 0) ratioX128 = (ratioX128 * 0xff2ea16466c96a3843ec78b326b52861) >> 128;
            if (distance & 0x80 != 0) ratioX128 = (ratioX128 * 0xfe5dee046a99a2a811c461f1969c3053) >> 128;
            if (distance & 0x100 != 0) ratioX128 = (ratioX128 * 0xfcbe86c7900a88aedcffc83b479aa3a4) >> 128;
            if (distance & 0x200 != 0) ratioX128 = (ratioX128 * 0xf987a7253ac413176f2b074cf7815e54) >> 128;
            if (distance & 0x400 != 0) ratioX128 = (ratioX128 * 0xf3392b0822b70005940c7a398e4b70f3) >> 128;
            if (distance & 0x800 != 0) ratioX128 = (ratioX128 * 0xe7159475a2c29b7443b29c7fa6e889d9) >> 128;
            if (distance & 0x1000 != 0) ratioX128 = (ratioX128 * 0xd097f3bdfd2022b8845ad8f792aa5825) >> 128;
            if (distance & 0x2000 != 0) ratioX128 = (ratioX128 * 0xa9f746462d870fdf8a65dc1f90e061e5) >> 128;
            if (distance & 0x4000 != 0) ratioX128 = (ratioX128 * 0x70d869a156d2a1b890bb3df62baf32f7) >> 128;
            if (distance & 0x8000 != 0) ratioX128 = (ratioX128 * 0x31be135f97d08fd981231505542fcfa6) >> 128;
            if (distance & 0x10000 != 0) ratioX128 = (ratioX128 * 0x09aa508b5b7a84e1c677de54f3e99bc9) >> 128;
            if (distance & 0x20000 != 0) ratioX128 = (ratioX128 * 0x005d6af8dedb81196699c329225ee604) >> 128;
            if (distance & 0x40000 != 0) ratioX128 = (ratioX128 * 0x00002216e584f5fa1ea926041bedfe98) >> 128;
            if (distance & 0x80000 != 0) ratioX128 = (ratioX128 * 0x00000000048a170391f7dc42444e8fa2) >> 128;
            if (tick > 0) ratioX128 = type(uint256).max / ratioX128;
            // At the highest tick the ratio has 160 bits.
            return uint160((ratioX128 + type(uint32).max) >> 32);
        }
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
