// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IUniswapV3Pool} from "../interfaces/IUniswap.sol";
import {TickPrice} from "./TickPrice.sol";

/// @title Holds a trade against a pool's time-weighted average price
/// @notice The spot price can be pushed within a block and be back at its end; the average over minutes can't.
library TwapBound {
    /// @notice The swap accepts less than the average price, less the tolerance, would give.
    error MinimumOutTooLow(uint256 minimumOut, uint256 bound);
    /// @notice The spot price stands too far from the average to move liquidity.
    error SpotTooFar(int24 tick, int24 twapTick, uint24 maxTickDeviation);

    /// @notice The tick that the pool's price had on average over the last seconds, rounded down.
    /// @dev The pool reverts with 'OLD' where its observations don't reach back that far.
    function twapTick(IUniswapV3Pool pool, uint32 secondsAgo) internal view returns (int24) {
        uint32[] memory secondsAgos = new uint32[](2);
        secondsAgos[0] = secondsAgo;
        (int56[] memory cumulatives,) = pool.observe(secondsAgos);
        int56 change = cumulatives[1] - cumulatives[0];
        int56 length = int56(uint56(secondsAgo));
        int56 mean = change / length;
        if (change < 0 && change % length != 0) --mean;
        // A mean of ticks is a tick.
        return int24(mean);
    }

    /// @notice Reverts where a swap accepts too little. The pool's fee counts towards the tolerance.
    function requireMinimumOut(
        IUniswapV3Pool pool,
        uint32 secondsAgo,
        uint24 maxTickDeviation,
        bool zeroForOne,
        uint256 amountIn,
        uint256 minimumOut
    ) internal view {
        int256 mean = twapTick(pool, secondsAgo);
        int256 worst =
            zeroForOne ? mean - int256(uint256(maxTickDeviation)) : mean + int256(uint256(maxTickDeviation));
        uint256 bound = TickPrice.quoteAtTick(_clamp(worst), amountIn, zeroForOne);
        if (minimumOut < bound) revert MinimumOutTooLow(minimumOut, bound);
    }

    /// @notice Reverts where the spot price stands too far from the average.
    function requireSpotNear(IUniswapV3Pool pool, uint32 secondsAgo, uint24 maxTickDeviation) internal view {
        int24 mean = twapTick(pool, secondsAgo);
        (, int24 tick,,,,,) = pool.slot0();
        int256 distance = int256(tick) - mean;
        if (distance < 0) distance = -distance;
        if (uint256(distance) > maxTickDeviation) revert SpotTooFar(tick, mean, maxTickDeviation);
    }

    function _clamp(int256 tick) private pure returns (int24) {
        if (tick < TickPrice.MIN_TICK) return TickPrice.MIN_TICK;
        if (tick > TickPrice.MAX_TICK) return TickPrice.MAX_TICK;
        return int24(tick);
    }
}
