// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Anchor, Decision, IDecisionAudit} from "../src/interfaces/IDecisionAudit.sol";
import {AuditFixture} from "./support/AuditFixture.sol";

/// @dev Decisions that moved nothing: anchored in batches, claimed one by one.
contract DecisionAnchorsTest is AuditFixture {
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
        (uint256 agentId,,, bool claimed) = audit.recordOf(tokenId);
        assertEq(agentId, AGENT, "the token's agent");
        assertTrue(claimed, "it was anchored");
    }

    function test_AClaimedTradeDoesNotPassForOneThatWasMade() public {
        // Whatever an agent puts under a root, its token says that nothing moved.
        Decision memory boast = _next();
        boast.action = 1;
        bytes32 digest = audit.digestOf(boast);
        Anchor memory under = Anchor(digest, 0, 1, digest);
        vm.prank(vault);
        audit.anchor(AGENT, under);
        uint256 tokenId = audit.claim(under, boast, new bytes32[](0));
        (, uint8 action,, bool claimed) = audit.recordOf(tokenId);
        assertEq(action, 1, "what it wanted");
        assertTrue(claimed, "it was anchored");
        uint256 made = _record(_next());
        (,,, claimed) = audit.recordOf(made);
        assertTrue(!claimed, "the record beside it was carried out");
    }

    function test_ANodeDoesNotPassForADecision() public {
        // A decision's digest hashes 66 bytes, a node 64: no decision has the two children for its fields.
        (Anchor memory under, Decision[3] memory holds, bytes32[] memory proof) = _anchorThree();
        bytes32[] memory shorter = new bytes32[](proof.length - 1);
        for (uint256 i = 1; i < proof.length; ++i) {
            shorter[i - 1] = proof[i];
        }
        Decision memory forged = holds[1];
        forged.previousDigest = audit.digestOf(holds[1]);
        forged.payloadDigest = proof[0];
        vm.expectRevert(
            abi.encodeWithSelector(IDecisionAudit.NotUnderAnchor.selector, audit.digestOf(forged))
        );
        audit.claim(under, forged, shorter);
    }

    function test_AnAnchorIsNotReplacedByALaterOne() public {
        (Anchor memory under, Decision[3] memory holds, bytes32[] memory proof) = _anchorThree();
        bytes32 kept = audit.anchorOf(AGENT, 0);
        // The same numbers again, under another root; and numbers that reach over the first.
        for (uint64 first = 0; first < 3; ++first) {
            vm.prank(vault);
            vm.expectRevert(abi.encodeWithSelector(IDecisionAudit.WrongSequence.selector, 3, first));
            audit.anchor(AGENT, Anchor(keccak256("other"), first, 3, keccak256("last")));
        }
        assertEq(audit.anchorOf(AGENT, 0), kept, "the anchor");
        audit.claim(under, holds[1], proof);
    }

    function test_TwoAgentsAnchorsDontMix() public {
        audit.bindVault(AGENT + 1, stranger);
        (Anchor memory under, Decision[3] memory holds, bytes32[] memory proof) = _anchorThree();
        Decision memory moved = holds[1];
        moved.agentId = AGENT + 1;
        vm.expectRevert(abi.encodeWithSelector(IDecisionAudit.AnchorNotFound.selector, AGENT + 1, 0));
        audit.claim(under, moved, proof);
        vm.prank(stranger);
        audit.anchor(AGENT + 1, under);
        vm.expectRevert(abi.encodeWithSelector(IDecisionAudit.NotUnderAnchor.selector, audit.digestOf(moved)));
        audit.claim(under, moved, proof);
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
}
