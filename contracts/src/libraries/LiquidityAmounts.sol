// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {TickPrice} from "./TickPrice.sol";

/// @title What liquidity between two ticks holds of each token
library LiquidityAmounts {
    /// @notice The amounts that liquidity comes to at a tick's price, rounded down (Uniswap v3's whitepaper, 6.29, 6.30).
    function amountsAt(int24 tick, int24 tickLower, int24 tickUpper, uint128 liquidity)
        internal
        pure
        returns (uint256 amount0, uint256 amount1)
    {
        if (tick < tickLower) tick = tickLower;
        if (tick > tickUpper) tick = tickUpper;
        uint256 lower = TickPrice.sqrtRatioAtTick(tickLower);
        uint256 spot = TickPrice.sqrtRatioAtTick(tick);
        uint256 upper = TickPrice.sqrtRatioAtTick(tickUpper);
        amount0 = Math.mulDiv(uint256(liquidity) << 96, upper - spot, upper) / spot;
        amount1 = Math.mulDiv(liquidity, spot - lower, 1 << 96);
    }
}
