// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title A cap on what may be spent in any 24 hours
/// @notice A bucket that leaks. It holds half of the day's cap and empties by that half in a day, so what goes through
/// in any 24 hours is at most the half it held plus the half that leaked: the cap, wherever the 24 hours begin.
/// @dev A counter that starts anew at midnight would let twice the cap through around it.
library SpendingCap {
    struct Bucket {
        uint120 level;
        uint32 updatedAt;
        /// What one transaction may spend without the owner's approval: it is read with the rest, in one slot.
        uint104 approvalAbove;
    }

    /// @notice Stands for no cap.
    uint120 internal constant UNLIMITED = type(uint120).max;
    /// @notice Stands for no threshold.
    uint104 internal constant NO_THRESHOLD = type(uint104).max;

    /// @notice A threshold as it is kept; one beyond 2**104 is none.
    function clampThreshold(uint120 threshold) internal pure returns (uint104) {
        return threshold > NO_THRESHOLD ? NO_THRESHOLD : uint104(threshold);
    }

    /// @notice What may be spent now.
    function available(Bucket storage bucket, uint120 maxPerDay) internal view returns (uint256) {
        if (maxPerDay == UNLIMITED) return UNLIMITED;
        uint256 level = _levelNow(bucket, maxPerDay);
        return Math.saturatingSub(maxPerDay / 2, level);
    }

    /// @notice Spend, if the cap leaves room for it.
    /// @return ok Whether it did; if not, nothing has changed.
    function consume(Bucket storage bucket, uint120 maxPerDay, uint256 amount) internal returns (bool ok) {
        if (maxPerDay == UNLIMITED) return true;
        uint256 level = _levelNow(bucket, maxPerDay);
        if (amount > Math.saturatingSub(maxPerDay / 2, level)) return false;
        // The sum is at most half of a uint120.
        bucket.level = uint120(level + amount);
        bucket.updatedAt = uint32(block.timestamp);
        return true;
    }

    /// @dev The leak is rounded down, in the cap's favour.
    function _levelNow(Bucket storage bucket, uint120 maxPerDay) private view returns (uint256) {
        uint256 waited = block.timestamp - bucket.updatedAt;
        if (waited == 0) return bucket.level;
        uint256 leaked = uint256(maxPerDay / 2) * waited / 1 days;
        return Math.saturatingSub(bucket.level, leaked);
    }
}
