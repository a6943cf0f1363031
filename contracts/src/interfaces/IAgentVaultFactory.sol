// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PolicyConfig} from "./IAgentVault.sol";
import {ICircuitBreaker} from "./ICircuitBreaker.sol";
import {IDecisionAudit} from "./IDecisionAudit.sol";

/// @title Where vaults come from
/// @notice Creates an agent's vault and binds it to the agent in the audit. Its deployment brings the audit and the
/// vaults' implementation with it, so nobody holds a key over either.
interface IAgentVaultFactory {
    event VaultCreated(
        uint256 indexed agentId, address indexed vault, address indexed owner, address agentKey
    );

    /// @notice Create the vault of a new agent. Anyone may.
    /// @dev The vault's address is derived from the three and from how many vaults were wished for with just them.
    /// @param owner Who alone can withdraw.
    /// @param agentKey Who may trade, within the policy.
    /// @return agentId The new agent's number; the first one is 0.
    /// @return vault The vault's address.
    function createVault(address owner, address agentKey, PolicyConfig calldata policy)
        external
        returns (uint256 agentId, address vault);

    /// @notice Where the next vault with this owner, key and policy will stand, whoever creates it.
    function predictVault(address owner, address agentKey, PolicyConfig calldata policy)
        external
        view
        returns (address);

    /// @notice The number the next agent gets.
    function nextAgentId() external view returns (uint256);

    function audit() external view returns (IDecisionAudit);

    /// @notice What values the vaults that have a circuit breaker.
    function breaker() external view returns (ICircuitBreaker);

    /// @notice The code that the vaults are clones of.
    function vaultImplementation() external view returns (address);
}
