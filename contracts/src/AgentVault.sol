// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {ERC721Holder} from "@openzeppelin/contracts/token/ERC721/utils/ERC721Holder.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {TradingPolicy} from "./TradingPolicy.sol";
import {Call, IAgentVault, PolicyConfig} from "./interfaces/IAgentVault.sol";
import {Anchor, Decision, IDecisionAudit} from "./interfaces/IDecisionAudit.sol";

/// @title The vault of one agent
/// @notice See {IAgentVault}; what the agent may do is in {TradingPolicy}.
/// @dev Deployed once as code; every agent's vault is a clone of it (ERC-1167) that the factory initialises.
contract AgentVault is IAgentVault, TradingPolicy, ReentrancyGuardTransient, ERC721Holder {
    using SafeERC20 for IERC20;

    /// @inheritdoc IAgentVault
    IDecisionAudit public immutable audit;
    /// @inheritdoc IAgentVault
    address public immutable factory;

    /// @inheritdoc IAgentVault
    address public agentKey;
    /// @inheritdoc IAgentVault
    bool public paused;
    /// @inheritdoc IAgentVault
    address public owner;
    uint96 private _agentId;

    modifier onlyOwner() {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        _;
    }

    modifier onlyAgentKey() {
        if (msg.sender != agentKey) revert NotAgentKey(msg.sender);
        _;
    }

    constructor(IDecisionAudit audit_, address factory_) {
        audit = audit_;
        factory = factory_;
    }

    receive() external payable {
        emit EtherReceived(msg.sender, msg.value);
    }

    /// @inheritdoc IAgentVault
    function initialize(uint256 agentId_, address owner_, address agentKey_, PolicyConfig calldata policy)
        external
    {
        if (msg.sender != factory) revert NotFactory(msg.sender);
        if (owner != address(0)) revert AlreadyInitialized();
        if (owner_ == address(0) || agentKey_ == address(0)) revert ZeroAddress();
        // The audit takes agent numbers up to 32 bits only.
        _agentId = uint96(agentId_);
        owner = owner_;
        agentKey = agentKey_;
        emit AgentKeyRotated(address(0), agentKey_);
        emit PolicyReplaced(_replacePolicy(policy), policy);
    }

    /// @inheritdoc IAgentVault
    function execute(
        Anchor calldata pending,
        Decision calldata decision,
        bytes calldata payload,
        Call[] calldata calls
    ) external onlyAgentKey nonReentrant returns (uint256 tokenId, bytes[] memory results) {
        if (paused) revert VaultPaused();
        if (calls.length == 0) revert NothingToExecute();
        bytes32 actionDigest = keccak256(abi.encode(calls));
        if (actionDigest != decision.actionDigest) {
            revert WrongActionDigest(decision.actionDigest, actionDigest);
        }
        tokenId = audit.record(pending, decision, payload);
        results = new bytes[](calls.length);
        for (uint256 i = 0; i < calls.length; ++i) {
            results[i] = _makeCall(calls[i].target, calls[i].data);
        }
    }

    /// @inheritdoc IAgentVault
    function anchor(Anchor calldata pending) external onlyAgentKey nonReentrant {
        audit.anchor(_agentId, pending);
    }

    /// @inheritdoc IAgentVault
    function pause() external onlyOwner {
        paused = true;
        emit Paused(msg.sender);
    }

    /// @inheritdoc IAgentVault
    function unpause() external onlyOwner {
        paused = false;
        emit Unpaused(msg.sender);
    }

    /// @inheritdoc IAgentVault
    function rotateAgentKey(address newKey) external onlyOwner {
        if (newKey == address(0)) revert ZeroAddress();
        emit AgentKeyRotated(agentKey, newKey);
        agentKey = newKey;
    }

    /// @inheritdoc IAgentVault
    function setPolicy(PolicyConfig calldata policy) external onlyOwner nonReentrant {
        emit PolicyReplaced(_replacePolicy(policy), policy);
    }

    /// @inheritdoc IAgentVault
    function withdrawEther(address payable to, uint256 amount) external onlyOwner nonReentrant {
        if (to == address(0)) revert ZeroAddress();
        emit EtherWithdrawn(to, amount);
        Address.sendValue(to, amount);
    }

    /// @inheritdoc IAgentVault
    function withdrawToken(address token, address to, uint256 amount) external onlyOwner nonReentrant {
        if (to == address(0)) revert ZeroAddress();
        emit TokenWithdrawn(token, to, amount);
        IERC20(token).safeTransfer(to, amount);
    }

    /// @inheritdoc IAgentVault
    function withdrawPosition(address collection, uint256 tokenId, address to)
        external
        onlyOwner
        nonReentrant
    {
        emit PositionWithdrawn(collection, to, tokenId);
        IERC721(collection).safeTransferFrom(address(this), to, tokenId);
    }

    /// @inheritdoc IAgentVault
    function agentId() external view returns (uint256) {
        return _agentId;
    }

    /// @inheritdoc IAgentVault
    function policyVersion() external view returns (uint32) {
        return _policyVersion;
    }

    /// @inheritdoc IAgentVault
    function isCallAllowed(address target, bytes4 selector) external view returns (bool) {
        return _isCallAllowed(target, selector);
    }

    /// @inheritdoc IAgentVault
    function tokenLimits(address token) external view returns (bool, uint120, uint120) {
        TokenLimits memory limits = _tokenLimits(token);
        return (limits.allowed, limits.maxPerTrade, limits.maxPerDay);
    }

    /// @inheritdoc IAgentVault
    function spendable(address token) external view returns (uint256) {
        return _spendable(token);
    }

    /// @inheritdoc IAgentVault
    function poolLimits(address tokenA, address tokenB, uint24 fee)
        external
        view
        returns (bool, address, uint32, uint24)
    {
        PoolLimits memory limits = _poolLimits(tokenA, tokenB, fee);
        return (limits.pool != address(0), limits.pool, limits.twapSeconds, limits.maxTickDeviation);
    }
}
