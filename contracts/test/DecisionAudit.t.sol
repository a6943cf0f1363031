// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IERC721Metadata} from "@openzeppelin/contracts/token/ERC721/extensions/IERC721Metadata.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Decision, IDecisionAudit} from "../src/interfaces/IDecisionAudit.sol";
import {IERC5192} from "../src/interfaces/IERC5192.sol";
import {AuditFixture} from "./support/AuditFixture.sol";

contract DecisionAuditTest is AuditFixture {
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

    function test_AnAgentsNumberHas27Bits() public {
        uint256 tooLarge = 1 << 27;
        vm.expectRevert(abi.encodeWithSelector(IDecisionAudit.TooManyAgents.selector, tooLarge));
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
        (uint256 agentId, uint8 action, int16 forecast, bool claimed) = audit.recordOf(1);
        assertTrue(!claimed, "it was carried out");
        assertEq(agentId, AGENT, "its agent");
        assertEq(action, decision.action, "its action");
        assertTrue(forecast == decision.forecast * 100_000 / 2 ** 24, "its forecast");
        (, uint64 next, bytes32 last, uint256 records) = audit.agentOf(AGENT);
        assertEq(next, 1, "the next sequence");
        assertEq(last, digest, "the chain's head");
        assertEq(records, 1, "the agent's records");
    }

    function test_MarksStayWhateverComesAfterThem(uint8[12] calldata actions, int24[12] calldata tenths)
        public
    {
        for (uint256 i = 0; i < 12; ++i) {
            Decision memory decision = _next();
            decision.action = actions[i] % 9;
            // Half a tenth more, away from zero, so that rounding towards it finds the number again.
            int256 half = tenths[i] < 0 ? -int256(1 << 23) : int256(1 << 23);
            decision.forecast = ((int256(tenths[i]) << 24) + half) / 100_000;
            _record(decision);
        }
        for (uint256 i = 0; i < 12; ++i) {
            (uint256 agentId, uint8 action, int16 forecast,) = audit.recordOf(i + 1);
            int256 expected = tenths[i];
            if (expected > 32_767) expected = 32_767;
            if (expected < -32_767) expected = -32_767;
            assertEq(agentId, AGENT, "the agent");
            assertEq(action, actions[i] % 9, "the action");
            assertTrue(
                forecast >= expected - 1 && forecast <= expected + 1, "the forecast, but for its rounding"
            );
        }
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
}
