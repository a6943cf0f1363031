// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice One decision of an agent: what was known, what was forecast, what was done about it.
/// @dev The EIP-712 struct of a record; its hash is the record's digest.
struct Decision {
    /// The agent's number.
    uint256 agentId;
    /// The agent's decisions are numbered from 0 without a gap, holds included.
    uint64 sequence;
    /// Digest of the decision before this one; zero for the first.
    bytes32 previousDigest;
    /// The block decided upon.
    uint64 blockNumber;
    bytes32 blockHash;
    /// Source and parameters of the strategy.
    bytes32 strategyDigest;
    /// The model that made the forecast; zero where there was none.
    bytes32 modelDigest;
    /// The features it was made from; zero where there were none.
    bytes32 featuresDigest;
    /// The forecast times 2**24.
    int256 forecast;
    /// 0 hold, 1 swap, 2 open, 3 increase, 4 decrease, 5 collect, 6 close, 7 rebalance, 8 batch.
    uint8 action;
    /// keccak256(abi.encode(Call[])) of the calls to be made.
    bytes32 actionDigest;
    /// keccak256 of the payload that the record's event carries.
    bytes32 payloadDigest;
}

/// @notice A run of decisions that moved nothing: holds, denials and trades that reverted.
struct Anchor {
    /// Merkle root over the decisions' digests, as OpenZeppelin's MerkleProof verifies it.
    bytes32 root;
    /// Sequence of the first of them.
    uint64 firstSequence;
    /// How many there are; 0 stands for no anchor.
    uint32 count;
    /// Digest of the last of them, to which the next decision is chained.
    bytes32 lastDigest;
}

/// @title The record of every decision
/// @notice ERC-721 tokens that can't be moved (ERC-5192), one for each decision that moved funds. An agent's
/// decisions form a hash chain without a gap; what moved nothing is anchored in batches and can be claimed.
interface IDecisionAudit {
    /// @notice A vault was bound to an agent; it alone writes the agent's records.
    event VaultBound(uint256 indexed agentId, address indexed vault);

    /// @notice A decision was recorded, in the transaction that carried it out.
    /// @param digest The decision's EIP-712 hash.
    /// @param payload What the decision was made from, in full: keccak256 of it is `decision.payloadDigest`.
    event DecisionRecorded(
        uint256 indexed tokenId,
        uint256 indexed agentId,
        bytes32 indexed digest,
        Decision decision,
        bytes payload
    );

    /// @notice Decisions that moved nothing were anchored.
    event DecisionsAnchored(
        uint256 indexed agentId, uint64 indexed firstSequence, uint32 count, bytes32 root, bytes32 lastDigest
    );

    /// @notice An anchored decision got a token of its own.
    event DecisionClaimed(
        uint256 indexed tokenId, uint256 indexed agentId, bytes32 indexed digest, Decision decision
    );

    /// @notice Only the registrar binds vaults.
    error NotRegistrar(address caller);
    /// @notice The agent has a vault, or the vault has an agent.
    error AlreadyBound(uint256 agentId, address vault);
    /// @notice Only the vault that is bound to the agent writes its records.
    error NotVaultOfAgent(address caller, uint256 agentId);
    /// @notice Agents are numbered below 2**27 here.
    error TooManyAgents(uint256 agentId);
    /// @notice The decision isn't the agent's next one.
    error WrongSequence(uint256 expected, uint256 given);
    /// @notice The decision isn't chained to the one before it.
    error WrongPreviousDigest(bytes32 expected, bytes32 given);
    /// @notice The payload isn't the one the decision commits to.
    error WrongPayload(bytes32 expected, bytes32 given);
    /// @notice The block decided upon isn't in the past.
    error BlockNotMined(uint256 blockNumber);
    /// @notice The block decided upon has another hash: it was reorganised away, or never was.
    error WrongBlockHash(bytes32 expected, bytes32 given);
    /// @notice An anchor needs decisions, a root and a last digest.
    error EmptyAnchor();
    /// @notice The agent has no such anchor.
    error AnchorNotFound(uint256 agentId, uint64 firstSequence);
    /// @notice The decision doesn't stand under the anchor's root.
    error NotUnderAnchor(bytes32 digest);
    /// @notice The decision has its token already.
    error AlreadyClaimed(uint256 agentId, uint64 sequence);
    /// @notice Records don't move, and nobody may be approved to move them.
    error RecordLocked();

    /// @notice Bind a vault to an agent, for good. Only the registrar may.
    function bindVault(uint256 agentId, address vault) external;

    /// @notice Record a decision. Only the agent's vault may.
    /// @param pending What has to be anchored ahead of it; count 0 for nothing.
    /// @param decision The agent's next decision.
    /// @param payload The bytes that `decision.payloadDigest` commits to.
    /// @return tokenId The record's number; the first one is 1.
    function record(Anchor calldata pending, Decision calldata decision, bytes calldata payload)
        external
        returns (uint256 tokenId);

    /// @notice Anchor decisions that moved nothing. Only the agent's vault may.
    function anchor(uint256 agentId, Anchor calldata pending) external;

    /// @notice Mint the token of an anchored decision. Anyone may; the token is the vault's in any case.
    /// @param under The anchor, as its event tells it.
    /// @param proof The siblings that lead from the decision's digest to the root.
    function claim(Anchor calldata under, Decision calldata decision, bytes32[] calldata proof)
        external
        returns (uint256 tokenId);

    /// @notice The EIP-712 hash of a decision under this contract's domain.
    function digestOf(Decision calldata decision) external view returns (bytes32);

    /// @notice Where an agent's chain of decisions stands.
    /// @return vault The vault that writes it; zero where the agent is unknown.
    /// @return nextSequence The number of its next decision.
    /// @return lastDigest The digest that decision is to be chained to.
    /// @return records How many tokens its vault holds.
    function agentOf(uint256 agentId)
        external
        view
        returns (address vault, uint64 nextSequence, bytes32 lastDigest, uint256 records);

    /// @notice What is stored of a record; the rest stands in its event, and its digest in the agent's chain.
    /// @return agentId The agent that decided.
    /// @return action What it did.
    /// @return forecast What it forecast, in tenths of a basis point; at most 3276.7 of them either way.
    /// @return claimed Whether it was anchored first, and so moved nothing, whatever its action says was wanted.
    function recordOf(uint256 tokenId)
        external
        view
        returns (uint256 agentId, uint8 action, int16 forecast, bool claimed);

    /// @notice keccak256(abi.encode(Anchor)) of the anchor that starts at a sequence; zero where there is none.
    function anchorOf(uint256 agentId, uint64 firstSequence) external view returns (bytes32);

    /// @notice Whether an anchored decision has its token.
    function isClaimed(uint256 agentId, uint64 sequence) external view returns (bool);

    /// @notice Who may bind vaults: the factory.
    function registrar() external view returns (address);

    /// @notice How many records there are, which is the newest one's number.
    function totalSupply() external view returns (uint256);
}
