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
    /// @dev How many vaults there are of one wish.
    mapping(bytes32 wish => uint256) private _copies;

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
        bytes32 wish = _wish(owner, agentKey, policy);
        vault = Clones.cloneDeterministic(vaultImplementation, _salt(wish, _copies[wish]++));
        emit VaultCreated(agentId, vault, owner, agentKey);
        audit.bindVault(agentId, vault);
        AgentVault(payable(vault)).initialize(agentId, owner, agentKey, policy);
    }

    /// @inheritdoc IAgentVaultFactory
    function predictVault(address owner, address agentKey, PolicyConfig calldata policy)
        external
        view
        returns (address)
    {
        bytes32 wish = _wish(owner, agentKey, policy);
        return Clones.predictDeterministicAddress(vaultImplementation, _salt(wish, _copies[wish]));
    }

    /// @dev The place where an identity registry (ERC-8004) gives the number instead.
    function _assignAgentId() private returns (uint256) {
        return nextAgentId++;
    }

    /// @dev All that a vault begins with is part of its address. Whoever creates it ahead of its owner creates the very
    /// vault he wished for; with a key or a policy of his own he lands elsewhere, and not on funds that were sent ahead.
    function _wish(address owner, address agentKey, PolicyConfig calldata policy)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(owner, agentKey, policy));
    }

    function _salt(bytes32 wish, uint256 copy) private pure returns (bytes32) {
        return keccak256(abi.encode(wish, copy));
    }
}
