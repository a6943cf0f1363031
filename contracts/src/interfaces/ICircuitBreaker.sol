// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {BreakerRule, PolicyConfig} from "./IAgentVault.sol";

/// @title Ends trading when a vault has lost too much
/// @notice Values what vaults hold, positions included, at average prices, and remembers the highest worth of each.
/// Whoever calls is the vault that is meant: nobody can change another's rule or peak.
interface ICircuitBreaker {
    /// @notice The breaker has no price for a token: no pool with the numeraire among the rules.
    error TokenWithoutPrice(address token);
    /// @notice The breaker needs an average price of each pool.
    error PoolWithoutAverage(address pool);
    /// @notice A drawdown stands below 100 %.
    error DrawdownOutOfRange(uint16 maxDrawdownBps);
    /// @notice The vault has no breaker.
    error NoBreaker(address vault);
    /// @notice The vault has as many positions open as are valued.
    error TooManyPositions(uint256 most);

    /// @notice Follow the caller's new policy. The highest worth stays, unless it is told in another token.
    /// @return active Whether the policy has a breaker.
    function follow(PolicyConfig calldata policy) external returns (bool active);

    /// @notice Value a position with what else the caller holds, for as long as he holds it.
    function watchPosition(address manager, uint256 positionId) external;

    /// @notice Value the caller and move its highest worth.
    /// @return equity What it is worth now, in the numeraire.
    /// @return peak The most it was worth.
    /// @return fallen Whether it has fallen further than its rule allows.
    /// @return nextMark When it is to be valued next.
    function mark() external returns (uint256 equity, uint256 peak, bool fallen, uint256 nextMark);

    /// @notice Count the caller's fall from the next valuation on.
    /// @return active Whether it has a breaker.
    function forgetPeak() external returns (bool active);

    /// @notice Whether a rule allows a vault more than the one it follows.
    function loosens(address vault, BreakerRule calldata rule) external view returns (bool);

    /// @notice What a vault is worth by the rule it follows, in the numeraire.
    function worth(address vault) external view returns (uint256);

    /// @notice The rule a vault follows, and the most it was worth.
    function stateOf(address vault) external view returns (BreakerRule memory rule, uint256 peak);
}
