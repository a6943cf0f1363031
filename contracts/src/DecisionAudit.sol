// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";

import {Anchor, Decision, IDecisionAudit} from "./interfaces/IDecisionAudit.sol";
import {IERC5192} from "./interfaces/IERC5192.sol";
import {RecordImage} from "./libraries/RecordImage.sol";

/// @title The record of every decision
/// @notice See {IDecisionAudit}.
/// @dev A record needs no slot of its own. Its owner is the agent's vault; its digest is in the chain that the agent's last
/// digest commits to; what its picture shows are 48 bits, five of them to a slot, the latest beside the count of all
/// records, which is written anyway. Everything else stands in the event.
contract DecisionAudit is IDecisionAudit, IERC5192, ERC721, EIP712 {
    using BitMaps for BitMaps.BitMap;
    using SafeCast for uint256;

    struct Agent {
        address vault;
        uint48 nextSequence;
        uint48 records;
        bytes32 lastDigest;
    }

    /// @dev How many records there are, and the marks of the latest ones until five of them fill a page.
    struct Newest {
        uint64 count;
        uint192 marks;
    }

    bytes32 private constant DECISION_TYPEHASH = keccak256(
        "Decision(uint256 agentId,uint64 sequence,bytes32 previousDigest,uint64 blockNumber,bytes32 blockHash,bytes32 strategyDigest,bytes32 modelDigest,bytes32 featuresDigest,int256 forecast,uint8 action,bytes32 actionDigest,bytes32 payloadDigest)"
    );

    /// @inheritdoc IDecisionAudit
    address public immutable registrar;

    uint256 private constant PAGE = 5;
    /// @dev A mark: agent (27 bits), whether it was claimed (1 bit), action (4 bits; a larger one is kept as the largest),
    /// forecast (16 bits, signed).
    uint256 private constant MARK_BITS = 48;
    uint256 private constant MARK_MASK = (1 << MARK_BITS) - 1;
    uint256 private constant AGENT_AT = 21;
    uint256 private constant CLAIMED = 1 << 20;
    uint256 private constant MOST_AGENTS = 1 << 27;
    uint256 private constant MOST_ACTIONS = 15;
    int256 private constant FORECAST_BOUND = (int256(32_767) << 24) / 100_000;

    Newest private _newest;
    mapping(uint256 agentId => Agent) private _agents;
    mapping(uint256 page => uint256 marks) private _pages;
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
        if (agentId >= MOST_AGENTS) revert TooManyAgents(agentId);
        _agents[agentId].vault = vault;
        _agentOfVault[vault] = agentId + 1;
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
        tokenId = _mintRecord(agent, decision, 0);
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
        tokenId = _mintRecord(agent, decision, CLAIMED);
        _agents[agentId] = agent;
        emit DecisionClaimed(tokenId, agentId, digest, decision);
    }

    /// @inheritdoc IDecisionAudit
    function agentOf(uint256 agentId) external view returns (address, uint64, bytes32, uint256) {
        Agent storage agent = _agents[agentId];
        return (agent.vault, agent.nextSequence, agent.lastDigest, agent.records);
    }

    /// @inheritdoc IDecisionAudit
    function totalSupply() external view returns (uint256) {
        return _newest.count;
    }

    /// @inheritdoc IDecisionAudit
    function recordOf(uint256 tokenId) external view returns (uint256, uint8, int16, bool) {
        _requireOwned(tokenId);
        return _readMark(_markOf(tokenId));
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
        (uint256 agentId, uint8 action, int16 forecast, bool claimed) = _readMark(_markOf(tokenId));
        return RecordImage.tokenURI(tokenId, agentId, action, forecast, claimed, _agents[agentId].vault);
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
        if (tokenId == 0 || tokenId > _newest.count) return address(0);
        return _agents[_markOf(tokenId) >> AGENT_AT].vault;
    }

    /// @dev The mark of a record that there is.
    function _markOf(uint256 tokenId) private view returns (uint256) {
        uint256 place = tokenId - 1;
        Newest memory newest = _newest;
        uint256 marks = place / PAGE == newest.count / PAGE ? newest.marks : _pages[place / PAGE];
        return (marks >> (place % PAGE * MARK_BITS)) & MARK_MASK;
    }

    function _readMark(uint256 mark)
        private
        pure
        returns (uint256 agentId, uint8 action, int16 forecast, bool claimed)
    {
        return (mark >> AGENT_AT, uint8((mark >> 16) & 15), int16(uint16(mark)), mark & CLAIMED != 0);
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
    /// @param claimed CLAIMED or 0.
    function _mintRecord(Agent memory agent, Decision calldata decision, uint256 claimed)
        private
        returns (uint256 tokenId)
    {
        Newest memory newest = _newest;
        uint256 place = newest.count;
        uint256 mark = (decision.agentId << AGENT_AT) | claimed
            | (Math.min(decision.action, MOST_ACTIONS) << 16) | uint16(_tenthsOfBps(decision.forecast));
        uint256 marks = newest.marks | (mark << (place % PAGE * MARK_BITS));
        if (place % PAGE == PAGE - 1) {
            _pages[place / PAGE] = marks;
            marks = 0;
        }
        tokenId = place + 1;
        _newest = Newest(uint64(tokenId), uint192(marks));
        ++agent.records;
        emit Transfer(address(0), agent.vault, tokenId);
        emit Locked(tokenId);
    }

    /// @dev A forecast, which is times 2**24, in tenths of a basis point; what doesn't fit is kept as the nearest that does.
    function _tenthsOfBps(int256 forecast) private pure returns (int16) {
        if (forecast > FORECAST_BOUND) return type(int16).max;
        if (forecast < -FORECAST_BOUND) return -type(int16).max;
        return int16(forecast * 100_000 / (1 << 24));
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
