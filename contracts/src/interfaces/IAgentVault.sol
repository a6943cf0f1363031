// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

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
}

/// @notice A pool the agent may trade and provide liquidity in.
struct PoolRule {
    address pool;
    /// Length of the time-weighted average that trades are held against; 0 for no such check.
    uint32 twapSeconds;
    /// How far a trade may stand from that average, in ticks of one basis point each.
    uint24 maxTickDeviation;
}

/// @notice All that an agent is allowed to do.
struct PolicyConfig {
    TargetRule[] targets;
    TokenRule[] tokens;
    PoolRule[] pools;
}

/// @title The vault of one agent
/// @notice Holds an agent's funds. The agent's key can do one thing with them: record a decision and make the calls
/// that its policy allows, in one transaction. The owner can do everything else.
interface IAgentVault {
    event Paused(address indexed account);
    event Unpaused(address indexed account);
    event AgentKeyRotated(address indexed previousKey, address indexed newKey);
    /// @notice The policy was replaced as a whole.
    event PolicyReplaced(uint32 indexed version, PolicyConfig policy);
    event EtherReceived(address indexed from, uint256 amount);
    event EtherWithdrawn(address indexed to, uint256 amount);
    event TokenWithdrawn(address indexed token, address indexed to, uint256 amount);
    event PositionWithdrawn(address indexed collection, address indexed to, uint256 tokenId);

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

    /// @notice Anchor decisions that moved nothing. Only the agent's key may, paused or not.
    function anchor(Anchor calldata pending) external;

    /// @notice Stop all trading. Only the owner may, as for everything below.
    function pause() external;

    function unpause() external;

    function rotateAgentKey(address newKey) external;

    /// @notice Replace the policy as a whole.
    function setPolicy(PolicyConfig calldata policy) external;

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

    /// @notice Whether the policy lets the agent call a function of a contract.
    function isCallAllowed(address target, bytes4 selector) external view returns (bool);

    /// @notice The caps on spending a token.
    function tokenLimits(address token)
        external
        view
        returns (bool allowed, uint120 maxPerTrade, uint120 maxPerDay);

    /// @notice What of a token may still be spent now under its daily cap.
    function spendable(address token) external view returns (uint256);

    /// @notice The rule for the pool of two tokens (in either order) and a fee.
    function poolLimits(address tokenA, address tokenB, uint24 fee)
        external
        view
        returns (bool allowed, address pool, uint32 twapSeconds, uint24 maxTickDeviation);
}
