// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";

import {AgentVault} from "./AgentVault.sol";
import {CircuitBreaker} from "./CircuitBreaker.sol";
import {DecisionAudit} from "./DecisionAudit.sol";
import {PolicyConfig} from "./interfaces/IAgentVault.sol";
import {IAgentVaultFactory} from "./interfaces/IAgentVaultFactory.sol";
import {ICircuitBreaker} from "./interfaces/ICircuitBreaker.sol";
import {IDecisionAudit} from "./interfaces/IDecisionAudit.sol";

/// @title Where vaults come from
/// @notice See {IAgentVaultFactory}.
contract AgentVaultFactory is IAgentVaultFactory {
    /// @inheritdoc IAgentVaultFactory
    IDecisionAudit public immutable audit;
    /// @inheritdoc IAgentVaultFactory
    ICircuitBreaker public immutable breaker;
    /// @inheritdoc IAgentVaultFactory
    address public immutable vaultImplementation;

    /// @inheritdoc IAgentVaultFactory
    uint256 public nextAgentId;

    constructor() {
        audit = new DecisionAudit(address(this));
        breaker = new CircuitBreaker();
        vaultImplementation = address(new AgentVault(audit, breaker, address(this)));
    }

    /// @inheritdoc IAgentVaultFactory
    function createVault(address owner, address agentKey, PolicyConfig calldata policy)
        external
        returns (uint256 agentId, address vault)
    {
        agentId = _assignAgentId();
        vault = Clones.cloneDeterministic(vaultImplementation, _salt(agentId, owner));
        emit VaultCreated(agentId, vault, owner, agentKey);
        audit.bindVault(agentId, vault);
        AgentVault(payable(vault)).initialize(agentId, owner, agentKey, policy);
    }

    /// @inheritdoc IAgentVaultFactory
    function predictVault(uint256 agentId, address owner) external view returns (address) {
        return Clones.predictDeterministicAddress(vaultImplementation, _salt(agentId, owner));
    }

    /// @dev The place where an identity registry (ERC-8004) gives the number instead.
    function _assignAgentId() private returns (uint256) {
        return nextAgentId++;
    }

    /// @dev The owner is part of the address, so that funds sent ahead can't end up in someone else's vault.
    function _salt(uint256 agentId, address owner) private pure returns (bytes32) {
        return keccak256(abi.encode(agentId, owner));
    }
}
