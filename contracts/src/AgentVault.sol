// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {ERC721Holder} from "@openzeppelin/contracts/token/ERC721/utils/ERC721Holder.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {TradingPolicy} from "./TradingPolicy.sol";
import {Call, IAgentVault, PolicyConfig} from "./interfaces/IAgentVault.sol";
import {ICircuitBreaker} from "./interfaces/ICircuitBreaker.sol";
import {Anchor, Decision, IDecisionAudit} from "./interfaces/IDecisionAudit.sol";

/// @title The vault of one agent
/// @notice See {IAgentVault}; what the agent may do is in {TradingPolicy}.
/// @dev Deployed once as code; every agent's vault is a clone of it (ERC-1167) that the factory initialises.
contract AgentVault is IAgentVault, TradingPolicy, ReentrancyGuardTransient, EIP712, ERC721Holder {
    using SafeERC20 for IERC20;

    /// @inheritdoc IAgentVault
    uint256 public constant POLICY_DELAY = 1 days;
    bytes32 private constant APPROVAL_TYPEHASH =
        keccak256("Approval(bytes32 decisionDigest,uint256 deadline)");

    /// @inheritdoc IAgentVault
    IDecisionAudit public immutable audit;
    /// @inheritdoc IAgentVault
    ICircuitBreaker public immutable breaker;
    /// @inheritdoc IAgentVault
    address public immutable factory;

    /// @inheritdoc IAgentVault
    address public agentKey;
    /// @inheritdoc IAgentVault
    bool public paused;
    /// @inheritdoc IAgentVault
    address public owner;
    uint96 private _agentId;
    bytes32 private _proposalDigest;
    uint256 private _proposalEffectiveAt;

    modifier onlyOwner() {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        _;
    }

    modifier onlyAgentKey() {
        if (msg.sender != agentKey) revert NotAgentKey(msg.sender);
        _;
    }

    constructor(IDecisionAudit audit_, ICircuitBreaker breaker_, address factory_)
        TradingPolicy(breaker_)
        EIP712("defai vault", "1")
    {
        audit = audit_;
        breaker = breaker_;
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
        return _execute(pending, decision, payload, calls, false);
    }

    /// @inheritdoc IAgentVault
    function executeApproved(
        Anchor calldata pending,
        Decision calldata decision,
        bytes calldata payload,
        Call[] calldata calls,
        uint256 deadline,
        bytes calldata signature
    ) external onlyAgentKey nonReentrant returns (uint256 tokenId, bytes[] memory results) {
        _requireApproval(audit.digestOf(decision), deadline, signature);
        return _execute(pending, decision, payload, calls, true);
    }

    /// @inheritdoc IAgentVault
    function mark() external nonReentrant returns (uint256 equity, uint256 peak) {
        bool fallen;
        (equity, peak, fallen) = _mark();
        if (fallen && !paused) {
            paused = true;
            emit Paused(msg.sender);
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
        _forgetPeak();
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
        if (!_loosens(policy)) {
            // Whoever tightens has thought again: what waited was to loosen a policy that is no more.
            if (_proposalDigest != 0) _withdrawProposal();
            emit PolicyReplaced(_replacePolicy(policy), policy);
            return;
        }
        _proposalDigest = keccak256(abi.encode(policy));
        _proposalEffectiveAt = block.timestamp + POLICY_DELAY;
        emit PolicyProposed(_proposalDigest, _proposalEffectiveAt, policy);
    }

    /// @inheritdoc IAgentVault
    function applyPolicy(PolicyConfig calldata policy) external onlyOwner nonReentrant {
        bytes32 policyDigest = keccak256(abi.encode(policy));
        if (policyDigest != _proposalDigest) revert NotProposed(policyDigest);
        if (block.timestamp < _proposalEffectiveAt) revert TooEarly(_proposalEffectiveAt);
        delete _proposalDigest;
        delete _proposalEffectiveAt;
        emit PolicyReplaced(_replacePolicy(policy), policy);
    }

    /// @inheritdoc IAgentVault
    function withdrawProposal() external onlyOwner {
        _withdrawProposal();
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
        _forgetPeak();
        emit TokenWithdrawn(token, to, amount);
        IERC20(token).safeTransfer(to, amount);
    }

    /// @inheritdoc IAgentVault
    function withdrawPosition(address collection, uint256 tokenId, address to)
        external
        onlyOwner
        nonReentrant
    {
        _forgetPeak();
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
    function tokenLimits(address token) external view returns (bool, uint120, uint120, uint120) {
        TokenLimits memory limits = _tokenLimits(token);
        if (!limits.allowed) return (false, 0, 0, 0);
        return (true, limits.maxPerTrade, limits.maxPerDay, _approvalAbove(token));
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
        (address pool, PoolLimits memory limits) = _poolLimits(tokenA, tokenB, fee);
        return (limits.allowed, pool, limits.twapSeconds, limits.maxTickDeviation);
    }

    /// @inheritdoc IAgentVault
    function proposal() external view returns (bytes32 policyDigest, uint256 effectiveAt) {
        return (_proposalDigest, _proposalEffectiveAt);
    }

    /// @inheritdoc IAgentVault
    function markDue() external view returns (uint256) {
        return _markDue;
    }

    /// @inheritdoc IAgentVault
    function approvalDigest(bytes32 decisionDigest, uint256 deadline) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(APPROVAL_TYPEHASH, decisionDigest, deadline)));
    }

    function _withdrawProposal() private {
        emit ProposalWithdrawn(_proposalDigest);
        delete _proposalDigest;
        delete _proposalEffectiveAt;
    }

    /// @dev The record first: what a call reaches of the audit stands already, and none is made without it.
    function _execute(
        Anchor calldata pending,
        Decision calldata decision,
        bytes calldata payload,
        Call[] calldata calls,
        bool approved
    ) private returns (uint256 tokenId, bytes[] memory results) {
        if (paused) revert VaultPaused();
        if (calls.length == 0) revert NothingToExecute();
        bytes32 actionDigest = keccak256(abi.encode(calls));
        if (actionDigest != decision.actionDigest) {
            revert WrongActionDigest(decision.actionDigest, actionDigest);
        }
        _requireStanding();
        tokenId = audit.record(pending, decision, payload);
        results = new bytes[](calls.length);
        for (uint256 i = 0; i < calls.length; ++i) {
            results[i] = _makeCall(calls[i].target, calls[i].data, approved);
        }
    }

    /// @dev That an approval is used once is the audit's doing: a decision's sequence comes once.
    function _requireApproval(bytes32 decisionDigest, uint256 deadline, bytes calldata signature) private {
        if (block.timestamp > deadline) revert ApprovalExpired(deadline);
        bytes32 digest = approvalDigest(decisionDigest, deadline);
        if (!SignatureChecker.isValidSignatureNowCalldata(owner, digest, signature)) {
            revert NotOwnersSignature(digest);
        }
        emit ApprovalUsed(decisionDigest, deadline);
    }
}
