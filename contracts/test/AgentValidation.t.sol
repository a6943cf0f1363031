// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {AgentValidation} from "../src/AgentValidation.sol";
import {IAgentValidation} from "../src/interfaces/IAgentValidation.sol";
import {RegistryFixture} from "./support/RegistryFixture.sol";

contract AgentValidationTest is RegistryFixture {
    bytes32 private constant REQUEST = keccak256("request");
    address private immutable validator = address(0x7A1);

    function test_AValidatorIsAskedAndAnswers() public {
        vm.expectEmit(address(validation));
        emit IAgentValidation.ValidationRequest(validator, agentId, "ipfs://q", REQUEST);
        _ask(owner, validator, REQUEST);
        _isStatus(0, 0, "");
        assertEq(validation.getAgentValidations(agentId)[0], REQUEST, "the agent's request");
        assertEq(validation.getValidatorRequests(validator)[0], REQUEST, "the validator's request");
        assertEq(validation.getIdentityRegistry(), address(identity), "the identity registry");
        assertText(validation.getVersion(), "2.0.0", "the version");

        vm.warp(vm.getBlockTimestamp() + 60);
        vm.expectEmit(address(validation));
        emit IAgentValidation.ValidationResponse(
            validator, agentId, REQUEST, 100, "ipfs://a", "evidence", "audit"
        );
        _answer(validator, REQUEST, 100, "audit");
        _isStatus(100, "evidence", "audit");
    }

    function test_TheLastAnswerCounts() public {
        _ask(operator, validator, REQUEST);
        _answer(validator, REQUEST, 100, "audit");
        vm.warp(vm.getBlockTimestamp() + 60);
        _answer(validator, REQUEST, 0, "late");
        _isStatus(0, "evidence", "late");
        (uint64 count, uint8 mean) = validation.getSummary(agentId, new address[](0), "");
        assertTrue(count == 1 && mean == 0, "the summary");
    }

    function test_OnlyWhoActsForTheAgentAsks() public {
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IAgentValidation.NotAuthorized.selector, stranger, agentId));
        validation.validationRequest(validator, agentId, "ipfs://q", REQUEST);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 9));
        validation.validationRequest(validator, 9, "ipfs://q", REQUEST);
        vm.prank(owner);
        vm.expectRevert(IAgentValidation.ZeroValidator.selector);
        validation.validationRequest(address(0), agentId, "ipfs://q", REQUEST);
    }

    function test_ARequestIsMadeOnce() public {
        _ask(owner, validator, REQUEST);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(IAgentValidation.RequestExists.selector, REQUEST));
        validation.validationRequest(stranger, agentId, "ipfs://q", REQUEST);
    }

    function test_OnlyTheValidatorAnswersAndUpToAHundred() public {
        vm.prank(validator);
        vm.expectRevert(abi.encodeWithSelector(IAgentValidation.RequestNotFound.selector, REQUEST));
        validation.validationResponse(REQUEST, 1, "", 0, "");
        vm.expectRevert(abi.encodeWithSelector(IAgentValidation.RequestNotFound.selector, REQUEST));
        validation.getValidationStatus(REQUEST);
        _ask(owner, validator, REQUEST);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(IAgentValidation.NotValidator.selector, owner, REQUEST));
        validation.validationResponse(REQUEST, 1, "", 0, "");
        vm.prank(validator);
        vm.expectRevert(abi.encodeWithSelector(IAgentValidation.ResponseOutOfRange.selector, 101));
        validation.validationResponse(REQUEST, 101, "", 0, "");
    }

    function test_ASummaryCountsAnswersOnly() public {
        for (uint256 i = 0; i < 4; ++i) {
            _ask(owner, i % 2 == 0 ? validator : stranger, bytes32(i + 1));
        }
        (uint64 count, uint8 mean) = validation.getSummary(agentId, new address[](0), "");
        assertTrue(count == 0 && mean == 0, "before any answer");
        _answer(validator, bytes32(uint256(1)), 100, "audit");
        _answer(stranger, bytes32(uint256(2)), 31, "audit");
        _answer(validator, bytes32(uint256(3)), 0, "uptime");
        (count, mean) = validation.getSummary(agentId, new address[](0), "");
        assertTrue(count == 3 && mean == 43, "of all");
        (count, mean) = validation.getSummary(agentId, new address[](0), "audit");
        assertTrue(count == 2 && mean == 65, "with a tag");
        address[] memory named = new address[](1);
        named[0] = validator;
        (count, mean) = validation.getSummary(agentId, named, "");
        assertTrue(count == 2 && mean == 50, "of one validator");
        (count,) = validation.getSummary(0, new address[](0), "");
        assertEq(count, 0, "of another agent");
    }

    function test_TheIdentityRegistryIsSetOnce() public {
        vm.expectRevert(IAgentValidation.AlreadyInitialized.selector);
        validation.initialize(stranger);
        AgentValidation bare = AgentValidation(_deployOurs("AgentValidation", abi.encode(address(0))));
        vm.expectRevert(IAgentValidation.ZeroRegistry.selector);
        bare.initialize(address(0));
        bare.initialize(address(identity));
        assertEq(bare.getIdentityRegistry(), address(identity), "the identity registry");
    }

    function _ask(address asker, address asked, bytes32 requestHash) private {
        vm.prank(asker);
        validation.validationRequest(asked, agentId, "ipfs://q", requestHash);
    }

    function _answer(address sender, bytes32 requestHash, uint8 response, string memory tag) private {
        vm.prank(sender);
        validation.validationResponse(requestHash, response, "ipfs://a", "evidence", tag);
    }

    function _isStatus(uint8 response, bytes32 responseHash, string memory tag) private view {
        (address asked, uint256 id, uint8 said, bytes32 hash, string memory saidTag, uint256 updated) =
            validation.getValidationStatus(REQUEST);
        assertEq(asked, validator, "the validator");
        assertEq(id, agentId, "the agent");
        assertEq(said, response, "the answer");
        assertEq(hash, responseHash, "its evidence");
        assertText(saidTag, tag, "its tag");
        assertEq(updated, vm.getBlockTimestamp(), "its time");
    }
}
