// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";

import {Anchor, Decision, IDecisionAudit} from "./interfaces/IDecisionAudit.sol";
import {IERC5192} from "./interfaces/IERC5192.sol";
import {RecordImage} from "./libraries/RecordImage.sol";

/// @title The record of every decision
/// @notice See {IDecisionAudit}.
/// @dev A record writes one new slot of storage: its owner is the agent's vault and needs none of its own, the digest is
/// kept to 22 bytes (finding another decision to them takes 2**176 tries) and in full only as the head of the
/// agent's chain, everything else stands in the event.
contract DecisionAudit is IDecisionAudit, IERC5192, ERC721, EIP712 {
    using BitMaps for BitMaps.BitMap;
    using SafeCast for uint256;

    struct Agent {
        address vault;
        uint48 nextSequence;
        uint48 records;
        bytes32 lastDigest;
    }

    struct Record {
        bytes22 digestPrefix;
        uint32 agentId;
        uint32 sequence;
        uint8 action;
    }

    bytes32 private constant DECISION_TYPEHASH = keccak256(
        "Decision(uint256 agentId,uint64 sequence,bytes32 previousDigest,uint64 blockNumber,bytes32 blockHash,bytes32 strategyDigest,bytes32 modelDigest,bytes32 featuresDigest,int256 forecast,uint8 action,bytes32 actionDigest,bytes32 payloadDigest)"
    );

    /// @inheritdoc IDecisionAudit
    address public immutable registrar;

    /// @inheritdoc IDecisionAudit
    uint256 public totalSupply;
    mapping(uint256 agentId => Agent) private _agents;
    mapping(uint256 tokenId => Record) private _records;
    mapping(address vault => uint256 agentIdPlusOne) private _agentOfVault;
    mapping(uint256 agentId => mapping(uint256 firstSequence => bytes32)) private _anchors;
    mapping(uint256 agentId => BitMaps.BitMap) private _claimed;

    constructor(address registrar_) ERC721("defai decision", "DECISION") EIP712("defai", "1") {
        registrar = registrar_;
    }

    /// @inheritdoc IDecisionAudit
    function bindVault(uint256 agentId, address vault) external {
        if (msg.sender != registrar) revert NotRegistrar(msg.sender);
        if (_agents[agentId].vault != address(0) || _agentOfVault[vault] != 0) {
            revert AlreadyBound(agentId, vault);
        }
        _agents[agentId].vault = vault;
        _agentOfVault[vault] = uint256(agentId.toUint32()) + 1;
        emit VaultBound(agentId, vault);
    }

    /// @inheritdoc IDecisionAudit
    function record(Anchor calldata pending, Decision calldata decision, bytes calldata payload)
        external
        returns (uint256 tokenId)
    {
        uint256 agentId = decision.agentId;
        Agent memory agent = _agents[agentId];
        if (msg.sender != agent.vault) revert NotVaultOfAgent(msg.sender, agentId);
        if (pending.count != 0) _anchor(agent, agentId, pending);
        _requireNext(agent, decision);
        _requirePast(decision);
        bytes32 payloadDigest = keccak256(payload);
        if (payloadDigest != decision.payloadDigest) {
            revert WrongPayload(decision.payloadDigest, payloadDigest);
        }

        bytes32 digest = digestOf(decision);
        agent.lastDigest = digest;
        ++agent.nextSequence;
        tokenId = _mintRecord(agent, decision, digest);
        _agents[agentId] = agent;
        emit DecisionRecorded(tokenId, agentId, digest, decision, payload);
    }

    /// @inheritdoc IDecisionAudit
    function anchor(uint256 agentId, Anchor calldata pending) external {
        Agent memory agent = _agents[agentId];
        if (msg.sender != agent.vault) revert NotVaultOfAgent(msg.sender, agentId);
        _anchor(agent, agentId, pending);
        _agents[agentId] = agent;
    }

    /// @inheritdoc IDecisionAudit
    function claim(Anchor calldata under, Decision calldata decision, bytes32[] calldata proof)
        external
        returns (uint256 tokenId)
    {
        uint256 agentId = decision.agentId;
        uint64 sequence = decision.sequence;
        if (under.count == 0 || _anchors[agentId][under.firstSequence] != keccak256(abi.encode(under))) {
            revert AnchorNotFound(agentId, under.firstSequence);
        }
        bytes32 digest = digestOf(decision);
        bool inRange = sequence >= under.firstSequence && sequence - under.firstSequence < under.count;
        if (!inRange || !MerkleProof.verifyCalldata(proof, under.root, digest)) {
            revert NotUnderAnchor(digest);
        }
        if (isClaimed(agentId, sequence)) revert AlreadyClaimed(agentId, sequence);
        _claimed[agentId].set(sequence);
        Agent memory agent = _agents[agentId];
        tokenId = _mintRecord(agent, decision, digest);
        _agents[agentId] = agent;
        emit DecisionClaimed(tokenId, agentId, digest, decision);
    }

    /// @inheritdoc IDecisionAudit
    function agentOf(uint256 agentId) external view returns (address, uint64, bytes32, uint256) {
        Agent storage agent = _agents[agentId];
        return (agent.vault, agent.nextSequence, agent.lastDigest, agent.records);
    }

    /// @inheritdoc IDecisionAudit
    function recordOf(uint256 tokenId) external view returns (uint256, uint64, uint8, bytes22) {
        _requireOwned(tokenId);
        Record storage record_ = _records[tokenId];
        return (record_.agentId, record_.sequence, record_.action, record_.digestPrefix);
    }

    /// @inheritdoc IDecisionAudit
    function isRecordOf(uint256 tokenId, Decision calldata decision) external view returns (bool) {
        _requireOwned(tokenId);
        return _records[tokenId].digestPrefix == bytes22(digestOf(decision));
    }

    /// @inheritdoc IDecisionAudit
    function anchorOf(uint256 agentId, uint64 firstSequence) external view returns (bytes32) {
        return _anchors[agentId][firstSequence];
    }

    /// @inheritdoc IERC5192
    function locked(uint256 tokenId) external view returns (bool) {
        _requireOwned(tokenId);
        return true;
    }

    /// @inheritdoc IDecisionAudit
    function digestOf(Decision calldata decision) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(DECISION_TYPEHASH, decision)));
    }

    /// @inheritdoc IDecisionAudit
    function isClaimed(uint256 agentId, uint64 sequence) public view returns (bool) {
        return _claimed[agentId].get(sequence);
    }

    /// @notice The records a vault holds.
    function balanceOf(address vault) public view override returns (uint256) {
        if (vault == address(0)) revert ERC721InvalidOwner(vault);
        uint256 agentIdPlusOne = _agentOfVault[vault];
        return agentIdPlusOne == 0 ? 0 : _agents[agentIdPlusOne - 1].records;
    }

    /// @notice JSON with a picture of what was decided, as a data: URI.
    function tokenURI(uint256 tokenId) public view override returns (string memory) {
        _requireOwned(tokenId);
        Record storage record_ = _records[tokenId];
        return RecordImage.tokenURI(
            tokenId, record_.agentId, record_.sequence, record_.action, record_.digestPrefix
        );
    }

    /// @notice ERC-721 with metadata, and ERC-5192.
    function supportsInterface(bytes4 interfaceId) public view override returns (bool) {
        return interfaceId == type(IERC5192).interfaceId || super.supportsInterface(interfaceId);
    }

    /// @notice Always reverts: a record can't be moved.
    function approve(address, uint256) public pure override {
        revert RecordLocked();
    }

    /// @notice Always reverts: a record can't be moved.
    function setApprovalForAll(address, bool) public pure override {
        revert RecordLocked();
    }

    /// @notice Always reverts: a record can't be moved. The safe transfers come here too.
    function transferFrom(address, address, uint256) public pure override {
        revert RecordLocked();
    }

    /// @dev A record is the vault's whose decision it is.
    function _ownerOf(uint256 tokenId) internal view override returns (address) {
        Record storage record_ = _records[tokenId];
        return record_.digestPrefix == 0 ? address(0) : _agents[record_.agentId].vault;
    }

    /// @dev Moves the agent's chain on; the caller writes it back.
    function _anchor(Agent memory agent, uint256 agentId, Anchor calldata pending) private {
        if (pending.count == 0 || pending.root == 0 || pending.lastDigest == 0) revert EmptyAnchor();
        uint256 next = agent.nextSequence;
        if (pending.firstSequence != next) revert WrongSequence(next, pending.firstSequence);
        agent.nextSequence = (next + pending.count).toUint48();
        agent.lastDigest = pending.lastDigest;
        _anchors[agentId][next] = keccak256(abi.encode(pending));
        emit DecisionsAnchored(
            agentId, pending.firstSequence, pending.count, pending.root, pending.lastDigest
        );
    }

    /// @dev Counts the agent's records; the caller writes it back.
    function _mintRecord(Agent memory agent, Decision calldata decision, bytes32 digest)
        private
        returns (uint256 tokenId)
    {
        tokenId = ++totalSupply;
        ++agent.records;
        _records[tokenId] = Record({
            digestPrefix: bytes22(digest),
            agentId: decision.agentId.toUint32(),
            sequence: uint256(decision.sequence).toUint32(),
            action: decision.action
        });
        emit Transfer(address(0), agent.vault, tokenId);
        emit Locked(tokenId);
    }

    function _requireNext(Agent memory agent, Decision calldata decision) private pure {
        uint256 next = agent.nextSequence;
        if (decision.sequence != next) revert WrongSequence(next, decision.sequence);
        bytes32 last = agent.lastDigest;
        if (decision.previousDigest != last) revert WrongPreviousDigest(last, decision.previousDigest);
    }

    /// @dev The chain remembers the hashes of its last 256 blocks; of an older block only its number can be held against
    /// the decision here, the rest is left to the auditor.
    function _requirePast(Decision calldata decision) private view {
        if (decision.blockNumber >= block.number) revert BlockNotMined(decision.blockNumber);
        bytes32 known = blockhash(decision.blockNumber);
        if (known != 0 && known != decision.blockHash) revert WrongBlockHash(known, decision.blockHash);
    }
}
