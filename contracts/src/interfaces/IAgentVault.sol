// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ICircuitBreaker} from "./ICircuitBreaker.sol";
import {Anchor, Decision, IDecisionAudit} from "./IDecisionAudit.sol";

/// @notice One call of a vault; no ether goes with it.
struct Call {
    address target;
    bytes data;
}

/// @notice A contract the agent may call, and which of its functions.
struct TargetRule {
    address target;
    bytes4[] selectors;
}

/// @notice A token the agent may trade, and how much of it may be spent.
/// @dev type(uint120).max stands for no cap.
struct TokenRule {
    address token;
    /// The most one transaction may spend.
    uint120 maxPerTrade;
    /// The most that may be spent in any 24 hours, at most half of it at once: see SpendingCap.
    uint120 maxPerDay;
    /// A transaction that spends more than this needs the owner's approval of its decision.
    uint120 approvalAbove;
}

/// @notice A pool the agent may trade and provide liquidity in.
struct PoolRule {
    address pool;
    /// Length of the time-weighted average that trades are held against; 0 for no such check.
    uint32 twapSeconds;
    /// How far a trade may stand from that average, in ticks of one basis point each.
    uint24 maxTickDeviation;
}

/// @notice The circuit breaker: no trade while the vault's worth stands too far below its highest.
struct BreakerRule {
    /// The token that worth is told in. Each other token needs a pool with it among the rules, one with an average.
    address numeraire;
    /// The fall from the highest worth at which trading ends, in basis points; 0 for no breaker.
    uint16 maxDrawdownBps;
    /// The first trade after so many seconds values the vault anew; 0 values it before every trade.
    uint32 markSeconds;
}

/// @notice All that an agent is allowed to do.
struct PolicyConfig {
    TargetRule[] targets;
    TokenRule[] tokens;
    PoolRule[] pools;
    BreakerRule breaker;
}

/// @title The vault of one agent
/// @notice Holds an agent's funds. The agent's key can do one thing with them: record a decision and make the calls
/// that its policy allows, in one transaction. The owner can do everything else.
interface IAgentVault {
    event Paused(address indexed account);
    event Unpaused(address indexed account);
    event AgentKeyRotated(address indexed previousKey, address indexed newKey);
    /// @notice A policy that loosens the one in force waits; the owner may apply it from then on.
    event PolicyProposed(bytes32 indexed policyDigest, uint256 effectiveAt, PolicyConfig policy);
    event ProposalWithdrawn(bytes32 indexed policyDigest);
    /// @notice The policy was replaced as a whole.
    event PolicyReplaced(uint32 indexed version, PolicyConfig policy);
    event EtherReceived(address indexed from, uint256 amount);
    event EtherWithdrawn(address indexed to, uint256 amount);
    event TokenWithdrawn(address indexed token, address indexed to, uint256 amount);
    event PositionWithdrawn(address indexed collection, address indexed to, uint256 tokenId);
    /// @notice The owner's approval of a decision was used.
    event ApprovalUsed(bytes32 indexed decisionDigest, uint256 deadline);

    /// @notice Only the factory initialises a vault, and only once.
    error NotFactory(address caller);
    error AlreadyInitialized();
    error NotOwner(address caller);
    error NotAgentKey(address caller);
    error ZeroAddress();
    error VaultPaused();
    /// @notice An execution needs a call; what moves nothing is anchored.
    error NothingToExecute();
    /// @notice The calls aren't the ones the decision commits to.
    error WrongActionDigest(bytes32 expected, bytes32 given);
    /// @notice The approval's time has passed.
    error ApprovalExpired(uint256 deadline);
    /// @notice The signature isn't the owner's, or approves another decision, vault, chain or deadline.
    error NotOwnersSignature(bytes32 approvalDigest);
    /// @notice There is no such proposal.
    error NotProposed(bytes32 policyDigest);
    /// @notice The proposal may be applied from then on.
    error TooEarly(uint256 effectiveAt);

    /// @notice Set the vault up. Called once, by the factory, in the transaction that creates it.
    function initialize(uint256 agentId_, address owner_, address agentKey_, PolicyConfig calldata policy)
        external;

    /// @notice Record a decision and carry it out: all of it, or nothing. Only the agent's key may.
    /// @param pending What has to be anchored ahead of the decision; count 0 for nothing.
    /// @param decision The decision; its actionDigest must be keccak256(abi.encode(calls)).
    /// @param payload The bytes that its payloadDigest commits to.
    /// @param calls What to do. Each must be allowed by the policy and pay nobody but the vault.
    /// @return tokenId The record's number.
    /// @return results What the calls returned.
    function execute(
        Anchor calldata pending,
        Decision calldata decision,
        bytes calldata payload,
        Call[] calldata calls
    ) external returns (uint256 tokenId, bytes[] memory results);

    /// @notice As `execute`, of a decision that the owner has approved: it may spend more than `approvalAbove`, and is
    /// held to everything else.
    /// @param deadline Until when the approval holds. It is used up with the decision, whose sequence comes once.
    /// @param signature The owner's over `approvalDigest`: of an account or of a contract (ERC-1271).
    function executeApproved(
        Anchor calldata pending,
        Decision calldata decision,
        bytes calldata payload,
        Call[] calldata calls,
        uint256 deadline,
        bytes calldata signature
    ) external returns (uint256 tokenId, bytes[] memory results);

    /// @notice Value the vault, and pause it where it has fallen too far. Anyone may.
    /// @return equity What it is worth in the numeraire, at average prices.
    /// @return peak The most it was worth since it was last resumed or money was taken out.
    function mark() external returns (uint256 equity, uint256 peak);

    /// @notice Anchor decisions that moved nothing. Only the agent's key may, paused or not.
    function anchor(Anchor calldata pending) external;

    /// @notice Stop all trading. Only the owner may, as for everything below.
    function pause() external;

    /// @notice Trade again. The breaker counts the fall from here on.
    function unpause() external;

    function rotateAgentKey(address newKey) external;

    /// @notice Replace the policy as a whole: at once where nothing in the new one is looser, else it becomes a proposal
    /// that `applyPolicy` may put in force after `POLICY_DELAY`. Either way a proposal that waits is gone.
    function setPolicy(PolicyConfig calldata policy) external;

    /// @notice Put a proposal in force once its time has come.
    function applyPolicy(PolicyConfig calldata policy) external;

    /// @notice Withdraw the proposal.
    function withdrawProposal() external;

    function withdrawEther(address payable to, uint256 amount) external;

    function withdrawToken(address token, address to, uint256 amount) external;

    /// @notice Withdraw an NFT, such as a liquidity position.
    function withdrawPosition(address collection, uint256 tokenId, address to) external;

    function agentId() external view returns (uint256);

    function owner() external view returns (address);

    function agentKey() external view returns (address);

    function paused() external view returns (bool);

    /// @notice Counts the policies; the first one is 1.
    function policyVersion() external view returns (uint32);

    /// @notice Where the vault's decisions are recorded.
    function audit() external view returns (IDecisionAudit);

    function factory() external view returns (address);

    /// @notice The policy that waits, keccak256(abi.encode(PolicyConfig)); zero where none does.
    function proposal() external view returns (bytes32 policyDigest, uint256 effectiveAt);

    /// @notice What the owner signs to approve a decision: EIP-712, `Approval(bytes32 decisionDigest,uint256 deadline)`
    /// in the domain ("defai vault", "1", chain id, the vault).
    function approvalDigest(bytes32 decisionDigest, uint256 deadline) external view returns (bytes32);

    /// @notice Who values the vault and keeps its highest worth.
    function breaker() external view returns (ICircuitBreaker);

    /// @notice From when on the next trade values the vault first; without a breaker the end of time.
    function markDue() external view returns (uint256);

    /// @notice How long a policy waits that loosens the one in force.
    function POLICY_DELAY() external view returns (uint256);

    /// @notice Whether the policy lets the agent call a function of a contract.
    function isCallAllowed(address target, bytes4 selector) external view returns (bool);

    /// @notice The caps on spending a token.
    function tokenLimits(address token)
        external
        view
        returns (bool allowed, uint120 maxPerTrade, uint120 maxPerDay, uint120 approvalAbove);

    /// @notice What of a token may still be spent now under its daily cap.
    function spendable(address token) external view returns (uint256);

    /// @notice The rule for the pool of two tokens (in either order) and a fee.
    function poolLimits(address tokenA, address tokenB, uint24 fee)
        external
        view
        returns (bool allowed, address pool, uint32 twapSeconds, uint24 maxTickDeviation);
}
