// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IERC721Metadata} from "@openzeppelin/contracts/token/ERC721/extensions/IERC721Metadata.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {DecisionAudit} from "../src/DecisionAudit.sol";
import {Anchor, Decision, IDecisionAudit} from "../src/interfaces/IDecisionAudit.sol";
import {IERC5192} from "../src/interfaces/IERC5192.sol";
import {Assertions} from "./support/Vm.sol";

contract DecisionAuditTest is Assertions {
    uint256 private constant AGENT = 7;
    bytes private constant PAYLOAD = '{"reason":"because"}';

    address private immutable vault = address(0x7A17);
    address private immutable stranger = address(0x574A);
    DecisionAudit private audit;

    function setUp() public {
        audit = DecisionAudit(_deployOurs("DecisionAudit", abi.encode(address(this))));
        audit.bindVault(AGENT, vault);
    }

    // Binding

    function test_TheRegistrarBindsAVaultToAnAgent() public {
        vm.expectEmit(address(audit));
        emit IDecisionAudit.VaultBound(8, stranger);
        audit.bindVault(8, stranger);
        (address bound,,,) = audit.agentOf(8);
        assertEq(bound, stranger, "the vault of agent 8");
    }

    function test_NobodyElseBinds() public {
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IDecisionAudit.NotRegistrar.selector, stranger));
        audit.bindVault(8, stranger);
    }

    function test_AnAgentHasOneVault() public {
        vm.expectRevert(abi.encodeWithSelector(IDecisionAudit.AlreadyBound.selector, AGENT, stranger));
        audit.bindVault(AGENT, stranger);
    }

    function test_AVaultHasOneAgent() public {
        vm.expectRevert(abi.encodeWithSelector(IDecisionAudit.AlreadyBound.selector, 8, vault));
        audit.bindVault(8, vault);
    }

    function test_AnAgentsNumberHas32Bits() public {
        uint256 tooLarge = uint256(type(uint32).max) + 1;
        vm.expectRevert(
            abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, uint8(32), tooLarge)
        );
        audit.bindVault(tooLarge, stranger);
    }

    // Recording

    function test_ARecordIsATokenOfTheVault() public {
        Decision memory decision = _next();
        bytes32 digest = audit.digestOf(decision);
        vm.expectEmit(address(audit));
        emit IERC721.Transfer(address(0), vault, 1);
        vm.expectEmit(address(audit));
        emit IERC5192.Locked(1);
        vm.expectEmit(address(audit));
        emit IDecisionAudit.DecisionRecorded(1, AGENT, digest, decision, PAYLOAD);
        assertEq(_record(decision), 1, "the first record's number");

        assertEq(audit.ownerOf(1), vault, "its owner");
        assertEq(audit.balanceOf(vault), 1, "the vault's balance");
        assertEq(audit.totalSupply(), 1, "the supply");
        assertTrue(audit.locked(1), "it is locked");
        (uint256 agentId, uint64 sequence, uint8 action, bytes22 prefix) = audit.recordOf(1);
        assertEq(agentId, AGENT, "its agent");
        assertEq(sequence, 0, "its sequence");
        assertEq(action, decision.action, "its action");
        assertEq(bytes32(prefix), bytes32(bytes22(digest)), "its digest");
        (, uint64 next, bytes32 last, uint256 records) = audit.agentOf(AGENT);
        assertEq(next, 1, "the next sequence");
        assertEq(last, digest, "the chain's head");
        assertEq(records, 1, "the agent's records");
    }

    function test_ARecordIsOfOneDecisionOnly() public {
        Decision memory decision = _next();
        _record(decision);
        assertTrue(audit.isRecordOf(1, decision), "the decision that was recorded");
        decision.forecast += 1;
        assertTrue(!audit.isRecordOf(1, decision), "another decision");
    }

    function test_TheDigestIsEip712(Decision calldata decision) public view {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("defai"),
                keccak256("1"),
                block.chainid,
                address(audit)
            )
        );
        bytes32 typehash = keccak256(
            "Decision(uint256 agentId,uint64 sequence,bytes32 previousDigest,uint64 blockNumber,bytes32 blockHash,bytes32 strategyDigest,bytes32 modelDigest,bytes32 featuresDigest,int256 forecast,uint8 action,bytes32 actionDigest,bytes32 payloadDigest)"
        );
        bytes32 struct_ = keccak256(bytes.concat(typehash, abi.encode(decision)));
        bytes32 expected = keccak256(bytes.concat(hex"1901", domain, struct_));
        assertEq(audit.digestOf(decision), expected, "the EIP-712 digest");
    }

    function test_RecordsOfSeveralAgentsAreNumberedTogether() public {
        audit.bindVault(8, stranger);
        _record(_next());
        Decision memory other = _next();
        other.agentId = 8;
        other.sequence = 0;
        other.previousDigest = 0;
        vm.prank(stranger);
        assertEq(audit.record(_none(), other, PAYLOAD), 2, "the second record's number");
        assertEq(audit.balanceOf(vault), 1, "the first vault's records");
        assertEq(audit.balanceOf(stranger), 1, "the second vault's records");
        assertEq(audit.balanceOf(address(this)), 0, "nobody else has any");
    }

    function test_OnlyTheAgentsVaultRecords() public {
        Decision memory decision = _next();
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IDecisionAudit.NotVaultOfAgent.selector, stranger, AGENT));
        audit.record(_none(), decision, PAYLOAD);
    }

    function test_AVaultDoesNotRecordForAnotherAgent() public {
        audit.bindVault(8, stranger);
        Decision memory decision = _next();
        decision.agentId = 8;
        vm.prank(vault);
        vm.expectRevert(abi.encodeWithSelector(IDecisionAudit.NotVaultOfAgent.selector, vault, 8));
        audit.record(_none(), decision, PAYLOAD);
    }

    function test_AnUnknownAgentHasNoRecords() public {
        Decision memory decision = _next();
        decision.agentId = 99;
        vm.prank(vault);
        vm.expectRevert(abi.encodeWithSelector(IDecisionAudit.NotVaultOfAgent.selector, vault, 99));
        audit.record(_none(), decision, PAYLOAD);
    }

    function test_SequencesHaveNoGap(uint64 wrong) public {
        _record(_next());
        Decision memory decision = _next();
        vm.assume(wrong != decision.sequence);
        decision.sequence = wrong;
        _rejects(decision, abi.encodeWithSelector(IDecisionAudit.WrongSequence.selector, 1, wrong));
    }

    function test_ADecisionIsRecordedOnce() public {
        Decision memory decision = _next();
        _record(decision);
        _rejects(decision, abi.encodeWithSelector(IDecisionAudit.WrongSequence.selector, 1, 0));
    }

    function test_DecisionsAreChained(bytes32 wrong) public {
        _record(_next());
        Decision memory decision = _next();
        vm.assume(wrong != decision.previousDigest);
        bytes32 expected = decision.previousDigest;
        decision.previousDigest = wrong;
        _rejects(
            decision, abi.encodeWithSelector(IDecisionAudit.WrongPreviousDigest.selector, expected, wrong)
        );
    }

    function test_ThePayloadIsTheOneCommittedTo(bytes calldata payload) public {
        vm.assume(keccak256(payload) != keccak256(PAYLOAD));
        Decision memory decision = _next();
        vm.prank(vault);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDecisionAudit.WrongPayload.selector, decision.payloadDigest, keccak256(payload)
            )
        );
        audit.record(_none(), decision, payload);
    }

    function test_TheBlockDecidedUponIsPast(uint64 later) public {
        Decision memory decision = _next();
        decision.blockNumber = uint64(within(later, vm.getBlockNumber(), type(uint64).max));
        _rejects(
            decision, abi.encodeWithSelector(IDecisionAudit.BlockNotMined.selector, decision.blockNumber)
        );
    }

    function test_TheBlockDecidedUponIsTheChains(bytes32 wrong) public {
        Decision memory decision = _next();
        vm.assume(wrong != decision.blockHash && wrong != 0);
        bytes32 expected = decision.blockHash;
        decision.blockHash = wrong;
        _rejects(decision, abi.encodeWithSelector(IDecisionAudit.WrongBlockHash.selector, expected, wrong));
    }

    function test_ABlockOlderThan256IsTakenAsItIs() public {
        Decision memory decision = _next();
        decision.blockNumber = uint64(vm.getBlockNumber() - 257);
        decision.blockHash = keccak256("nobody here knows");
        assertEq(_record(decision), 1, "the record's number");
    }

    // Anchors

    function test_AnAnchorMovesTheChainOn() public {
        _record(_next());
        Anchor memory pending = Anchor(keccak256("root"), 1, 5, keccak256("last"));
        vm.expectEmit(address(audit));
        emit IDecisionAudit.DecisionsAnchored(AGENT, 1, 5, pending.root, pending.lastDigest);
        vm.prank(vault);
        audit.anchor(AGENT, pending);
        (, uint64 next, bytes32 last, uint256 records) = audit.agentOf(AGENT);
        assertEq(next, 6, "the next sequence");
        assertEq(last, pending.lastDigest, "the chain's head");
        assertEq(records, 1, "an anchor mints nothing");
        assertEq(audit.anchorOf(AGENT, 1), keccak256(abi.encode(pending)), "the anchor that is kept");
    }

    function test_ARecordBringsItsAnchorAlong() public {
        Anchor memory pending = Anchor(keccak256("root"), 0, 3, keccak256("last"));
        Decision memory decision = _next();
        decision.sequence = 3;
        decision.previousDigest = pending.lastDigest;
        vm.prank(vault);
        audit.record(pending, decision, PAYLOAD);
        (, uint64 next, bytes32 last,) = audit.agentOf(AGENT);
        assertEq(next, 4, "the next sequence");
        assertEq(last, audit.digestOf(decision), "the chain's head");
    }

    function test_AnAnchorHasNoGapEither(uint64 wrong) public {
        vm.assume(wrong != 0);
        vm.prank(vault);
        vm.expectRevert(abi.encodeWithSelector(IDecisionAudit.WrongSequence.selector, 0, wrong));
        audit.anchor(AGENT, Anchor(keccak256("root"), wrong, 3, keccak256("last")));
    }

    function test_AnAnchorIsNotEmpty() public {
        Anchor[3] memory empty = [
            Anchor(keccak256("root"), 0, 0, keccak256("last")),
            Anchor(0, 0, 3, keccak256("last")),
            Anchor(keccak256("root"), 0, 3, 0)
        ];
        for (uint256 i = 0; i < empty.length; ++i) {
            vm.prank(vault);
            vm.expectRevert(IDecisionAudit.EmptyAnchor.selector);
            audit.anchor(AGENT, empty[i]);
        }
    }

    function test_OnlyTheAgentsVaultAnchors() public {
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IDecisionAudit.NotVaultOfAgent.selector, stranger, AGENT));
        audit.anchor(AGENT, Anchor(keccak256("root"), 0, 3, keccak256("last")));
    }

    // Claims

    function test_AnyoneClaimsAnAnchoredDecisionForItsVault() public {
        (Anchor memory under, Decision[3] memory holds, bytes32[] memory proof) = _anchorThree();
        vm.expectEmit(address(audit));
        emit IDecisionAudit.DecisionClaimed(1, AGENT, audit.digestOf(holds[1]), holds[1]);
        vm.prank(stranger);
        uint256 tokenId = audit.claim(under, holds[1], proof);
        assertEq(audit.ownerOf(tokenId), vault, "the token's owner");
        assertTrue(audit.isClaimed(AGENT, 1), "the decision has its token");
        assertTrue(!audit.isClaimed(AGENT, 0), "the one before it has none");
        assertTrue(audit.isRecordOf(tokenId, holds[1]), "the token is of that decision");
    }

    function test_ADecisionIsClaimedOnce() public {
        (Anchor memory under, Decision[3] memory holds, bytes32[] memory proof) = _anchorThree();
        audit.claim(under, holds[1], proof);
        vm.expectRevert(abi.encodeWithSelector(IDecisionAudit.AlreadyClaimed.selector, AGENT, 1));
        audit.claim(under, holds[1], proof);
    }

    function test_AClaimNeedsTheAnchorItself() public {
        (Anchor memory under, Decision[3] memory holds, bytes32[] memory proof) = _anchorThree();
        under.count += 1;
        vm.expectRevert(abi.encodeWithSelector(IDecisionAudit.AnchorNotFound.selector, AGENT, 0));
        audit.claim(under, holds[1], proof);
    }

    function test_AClaimNeedsAnAnchor() public {
        Anchor memory none;
        Decision memory decision = _next();
        vm.expectRevert(abi.encodeWithSelector(IDecisionAudit.AnchorNotFound.selector, AGENT, 0));
        audit.claim(none, decision, new bytes32[](0));
    }

    function test_AClaimNeedsAProof(bytes32 wrong) public {
        (Anchor memory under, Decision[3] memory holds, bytes32[] memory proof) = _anchorThree();
        vm.assume(wrong != proof[0]);
        proof[0] = wrong;
        vm.expectRevert(
            abi.encodeWithSelector(IDecisionAudit.NotUnderAnchor.selector, audit.digestOf(holds[1]))
        );
        audit.claim(under, holds[1], proof);
    }

    function test_AClaimIsOfADecisionInTheAnchorsRange() public {
        // An agent can put anything under its root, a number beyond the anchor's too.
        Decision memory stray = _next();
        stray.sequence = 3;
        bytes32 digest = audit.digestOf(stray);
        Anchor memory under = Anchor(digest, 0, 3, digest);
        vm.prank(vault);
        audit.anchor(AGENT, under);
        vm.expectRevert(abi.encodeWithSelector(IDecisionAudit.NotUnderAnchor.selector, digest));
        audit.claim(under, stray, new bytes32[](0));
    }

    // Tokens

    function test_ARecordDoesNotMove() public {
        _record(_next());
        vm.prank(vault);
        vm.expectRevert(IDecisionAudit.RecordLocked.selector);
        audit.transferFrom(vault, stranger, 1);
        vm.prank(vault);
        vm.expectRevert(IDecisionAudit.RecordLocked.selector);
        audit.safeTransferFrom(vault, stranger, 1);
        vm.prank(vault);
        vm.expectRevert(IDecisionAudit.RecordLocked.selector);
        audit.safeTransferFrom(vault, stranger, 1, "");
        vm.prank(vault);
        vm.expectRevert(IDecisionAudit.RecordLocked.selector);
        audit.approve(stranger, 1);
        vm.prank(vault);
        vm.expectRevert(IDecisionAudit.RecordLocked.selector);
        audit.setApprovalForAll(stranger, true);
        assertEq(audit.ownerOf(1), vault, "its owner");
    }

    function test_ATokenThatIsNotThereHasNothing() public {
        bytes memory missing = abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 1);
        vm.expectRevert(missing);
        audit.ownerOf(1);
        vm.expectRevert(missing);
        audit.locked(1);
        vm.expectRevert(missing);
        audit.tokenURI(1);
        vm.expectRevert(missing);
        audit.recordOf(1);
        Decision memory decision = _next();
        vm.expectRevert(missing);
        audit.isRecordOf(1, decision);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721InvalidOwner.selector, address(0)));
        audit.balanceOf(address(0));
    }

    function test_ItSaysWhichStandardsItKeeps() public view {
        assertTrue(audit.supportsInterface(0xb45a3c0e), "ERC-5192");
        assertTrue(audit.supportsInterface(type(IERC721).interfaceId), "ERC-721");
        assertTrue(audit.supportsInterface(type(IERC721Metadata).interfaceId), "ERC-721 metadata");
        assertTrue(audit.supportsInterface(type(IERC165).interfaceId), "ERC-165");
        assertTrue(!audit.supportsInterface(0xffffffff), "not everything");
    }

    function _next() private view returns (Decision memory decision) {
        (, uint64 next, bytes32 last,) = audit.agentOf(AGENT);
        uint256 parent = vm.getBlockNumber() - 1;
        decision.agentId = AGENT;
        decision.sequence = next;
        decision.previousDigest = last;
        decision.blockNumber = uint64(parent);
        decision.blockHash = blockhash(parent);
        decision.forecast = -5;
        decision.action = 7;
        decision.payloadDigest = keccak256(PAYLOAD);
    }

    function _record(Decision memory decision) private returns (uint256) {
        vm.prank(vault);
        return audit.record(_none(), decision, PAYLOAD);
    }

    function _rejects(Decision memory decision, bytes memory reason) private {
        vm.prank(vault);
        vm.expectRevert(reason);
        audit.record(_none(), decision, PAYLOAD);
    }

    /// @dev Three holds under one root, and the proof of the second.
    function _anchorThree()
        private
        returns (Anchor memory under, Decision[3] memory holds, bytes32[] memory proof)
    {
        bytes32[3] memory digests;
        for (uint64 i = 0; i < 3; ++i) {
            holds[i] = _next();
            holds[i].sequence = i;
            holds[i].action = 0;
            holds[i].previousDigest = i == 0 ? bytes32(0) : digests[i - 1];
            digests[i] = audit.digestOf(holds[i]);
        }
        bytes32 pair = _joined(digests[0], digests[1]);
        under = Anchor(_joined(pair, digests[2]), 0, 3, digests[2]);
        proof = new bytes32[](2);
        (proof[0], proof[1]) = (digests[0], digests[2]);
        vm.prank(vault);
        audit.anchor(AGENT, under);
    }

    function _joined(bytes32 a, bytes32 b) private pure returns (bytes32) {
        return a < b ? keccak256(bytes.concat(a, b)) : keccak256(bytes.concat(b, a));
    }

    function _none() private pure returns (Anchor memory none) {}
}
