// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IUniswapV3Pool} from "../interfaces/IUniswap.sol";
import {TickPrice} from "./TickPrice.sol";

/// @title Holds a trade against a pool's time-weighted average price
/// @notice The spot price can be pushed within a block and be back at its end; the average over minutes can't.
library TwapBound {
    /// @dev The observations around a moment, each so many places back from the newest.
    struct Bracket {
        uint256 newerTime;
        int256 newerSum;
        uint256 newerBack;
        uint256 olderTime;
        int256 olderSum;
        uint256 olderBack;
    }

    /// @dev After so many the pool searches itself.
    uint256 private constant MOST_GUESSES = 8;

    /// @notice The swap accepts less than the average price, less the tolerance, would give.
    error MinimumOutTooLow(uint256 minimumOut, uint256 bound);
    /// @notice The spot price stands too far from the average to move liquidity.
    error SpotTooFar(int24 tick, int24 twapTick, uint24 maxTickDeviation);

    /// @notice The tick that the pool's price had on average over the last seconds, rounded down.
    /// @dev What `observe` gives. That halves its whole ring of observations, and pays for a slot at each step; the moment
    /// lies near the ring's newest end, where a guess finds it in two or three.
    /// The pool reverts with 'OLD' where its observations don't reach back that far.
    function twapTick(IUniswapV3Pool pool, uint32 secondsAgo) internal view returns (int24) {
        (, int24 tick, uint16 index, uint16 cardinality,,,) = pool.slot0();
        // A timestamp is beyond any length of an average, and sums of ticks are far from what their words hold.
        unchecked {
            uint256 target = block.timestamp - secondsAgo;
            Bracket memory bracket;
            (bracket.newerTime, bracket.newerSum) = _observation(pool, index);
            // Since its newest observation a pool's tick has stood still.
            if (bracket.newerTime <= target) return tick;
            int256 end = bracket.newerSum + int256(tick) * int256(block.timestamp - bracket.newerTime);
            (bool found, int256 start) = _sumAt(pool, target, bracket, index, cardinality);
            return found ? _mean(end - start, secondsAgo) : _observedTick(pool, secondsAgo);
        }
    }

    /// @notice The same by the pool's own search.
    function _observedTick(IUniswapV3Pool pool, uint32 secondsAgo) private view returns (int24) {
        uint32[] memory secondsAgos = new uint32[](2);
        secondsAgos[0] = secondsAgo;
        (int56[] memory cumulatives,) = pool.observe(secondsAgos);
        return _mean(int256(cumulatives[1]) - cumulatives[0], secondsAgo);
    }

    /// @dev The sum of ticks at a moment, between the two observations around it. The first guess is that the pool was
    /// observed as often as lately, the next ones divide what is left in proportion. Every guess lies between the two.
    function _sumAt(
        IUniswapV3Pool pool,
        uint256 target,
        Bracket memory bracket,
        uint256 index,
        uint256 cardinality
    ) private view returns (bool, int256) {
        unchecked {
            uint256 lately = block.timestamp - bracket.newerTime;
            uint256 guess = lately == 0 ? 1 : 1 + (bracket.newerTime - target - 1) / lately;
            for (uint256 i = 0; i < MOST_GUESSES; ++i) {
                (uint256 time, int256 sum) = guess < cardinality
                    ? _observation(pool, (index + cardinality - guess) % cardinality)
                    : (0, int256(0));
                // A slot of the ring that was never written, or a way beyond all of them.
                if (time <= 1 || time >= bracket.newerTime) {
                    guess = bracket.newerBack + (guess - bracket.newerBack) / 2;
                    if (guess == bracket.newerBack) return (false, 0);
                    continue;
                }
                if (time == target) return (true, sum);
                if (time < target) {
                    (bracket.olderTime, bracket.olderSum, bracket.olderBack) = (time, sum, guess);
                } else {
                    uint256 pace = (bracket.newerTime - time) / (guess - bracket.newerBack);
                    (bracket.newerTime, bracket.newerSum, bracket.newerBack) = (time, sum, guess);
                    if (bracket.olderBack == 0) {
                        guess += 1 + (time - target - 1) / (pace + 1);
                        continue;
                    }
                }
                uint256 places = bracket.olderBack - bracket.newerBack;
                uint256 length = bracket.newerTime - bracket.olderTime;
                if (places == 1) {
                    int256 rate = (bracket.newerSum - bracket.olderSum) / int256(length);
                    return (true, bracket.olderSum + rate * int256(target - bracket.olderTime));
                }
                uint256 step = (bracket.newerTime - target) * places / length;
                guess = bracket.newerBack + (step == 0 ? 1 : step == places ? places - 1 : step);
            }
        }
        return (false, 0);
    }

    function _observation(IUniswapV3Pool pool, uint256 at) private view returns (uint256 time, int256 sum) {
        (uint32 blockTimestamp, int56 tickCumulative,,) = pool.observations(at);
        return (blockTimestamp, tickCumulative);
    }

    function _mean(int256 change, uint32 secondsAgo) private pure returns (int24) {
        int256 length = int256(uint256(secondsAgo));
        int256 mean = change / length;
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
