// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {AgentReputation} from "../src/AgentReputation.sol";
import {IAgentReputation} from "../src/interfaces/IAgentReputation.sol";
import {RegistryFixture} from "./support/RegistryFixture.sol";

contract AgentReputationTest is RegistryFixture {
    address private immutable alice = address(0xA11);
    address private immutable bob = address(0xB0B);

    function test_FeedbackIsNumberedFromOne() public {
        assertEq(reputation.getLastIndex(agentId, alice), 0, "before");
        vm.expectEmit(address(reputation));
        emit IAgentReputation.NewFeedback(
            agentId, alice, 1, -32, 1, "tradingYield", "tradingYield", "week", "https://a", "ipfs://f", "hash"
        );
        vm.prank(alice);
        reputation.giveFeedback(
            agentId, -32, 1, "tradingYield", "week", "https://a", "ipfs://f", bytes32("hash")
        );
        _give(alice, 87, 0, "starred", "");
        assertEq(reputation.getLastIndex(agentId, alice), 2, "after");
        address[] memory clients = reputation.getClients(agentId);
        assertEq(clients.length, 1, "the clients");
        assertEq(clients[0], alice, "the client");
        (int128 value, uint8 decimals, string memory tag1, string memory tag2, bool revoked) =
            reputation.readFeedback(agentId, alice, 1);
        assertTrue(value == -32 && decimals == 1 && !revoked, "what she said");
        assertText(tag1, "tradingYield", "its first tag");
        assertText(tag2, "week", "its second tag");
        assertEq(reputation.getIdentityRegistry(), address(identity), "the identity registry");
        assertText(reputation.getVersion(), "2.0.0", "the version");
    }

    function test_NobodyPraisesHisOwnAgent() public {
        address[2] memory own = [owner, operator];
        for (uint256 i = 0; i < 2; ++i) {
            _refuses(
                own[i], 1, 0, abi.encodeWithSelector(IAgentReputation.SelfFeedback.selector, own[i], agentId)
            );
        }
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 9));
        reputation.giveFeedback(9, 1, 0, "", "", "", "", 0);
    }

    function test_AValueHasALimit() public {
        int128 most = 1e38;
        _give(alice, most, 18, "", "");
        _give(alice, -most, 18, "", "");
        _refuses(
            alice, most + 1, 0, abi.encodeWithSelector(IAgentReputation.ValueOutOfRange.selector, most + 1)
        );
        _refuses(
            alice, -most - 1, 0, abi.encodeWithSelector(IAgentReputation.ValueOutOfRange.selector, -most - 1)
        );
        _refuses(alice, 1, 19, abi.encodeWithSelector(IAgentReputation.TooManyDecimals.selector, 19));
    }

    function test_FeedbackIsTakenBackByWhoGaveIt() public {
        _give(alice, 50, 0, "", "");
        vm.expectEmit(address(reputation));
        emit IAgentReputation.FeedbackRevoked(agentId, alice, 1);
        vm.prank(alice);
        reputation.revokeFeedback(agentId, 1);
        (,,,, bool revoked) = reputation.readFeedback(agentId, alice, 1);
        assertTrue(revoked, "it is taken back");
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IAgentReputation.AlreadyRevoked.selector, agentId, alice, 1));
        reputation.revokeFeedback(agentId, 1);
        for (uint64 index = 0; index < 3; index += 2) {
            vm.prank(alice);
            vm.expectRevert(
                abi.encodeWithSelector(IAgentReputation.FeedbackNotFound.selector, agentId, alice, index)
            );
            reputation.revokeFeedback(agentId, index);
        }
        vm.prank(bob);
        vm.expectRevert(abi.encodeWithSelector(IAgentReputation.FeedbackNotFound.selector, agentId, bob, 1));
        reputation.revokeFeedback(agentId, 1);
    }

    function test_ASummaryIsTheMean() public {
        _give(alice, 80, 0, "starred", "");
        _give(alice, 905, 1, "starred", "x");
        _give(bob, 10, 0, "uptime", "");
        _give(bob, -301, 0, "starred", "");
        (uint64 count, int128 value, uint8 decimals) = _summary(_both(), "", "");
        // (80 + 90.5 + 10 - 301) / 4 = -30.125, in whole numbers, which most of them used.
        assertTrue(count == 4 && value == -30 && decimals == 0, "of both");
        (count, value, decimals) = _summary(_only(alice), "", "");
        // As many with one decimal as with none: the fewer decimals win.
        assertTrue(count == 2 && value == 85 && decimals == 0, "of one");
        (count, value, decimals) = _summary(_both(), "starred", "x");
        assertTrue(count == 1 && value == 905 && decimals == 1, "with both tags");
        (count, value, decimals) = _summary(_both(), "uptime", "");
        assertTrue(count == 1 && value == 10 && decimals == 0, "with one tag");
        (count, value, decimals) = _summary(_both(), "none", "");
        assertTrue(count == 0 && value == 0 && decimals == 0, "of nothing");
        vm.prank(bob);
        reputation.revokeFeedback(agentId, 2);
        (count, value,) = _summary(_both(), "starred", "");
        assertTrue(count == 2 && value == 85, "without what was taken back");
    }

    function test_ASummaryNamesItsClients() public {
        vm.expectRevert(IAgentReputation.NoClients.selector);
        reputation.getSummary(agentId, new address[](0), "", "");
    }

    function testFuzz_AMeanLiesBetween(int128 a, int128 b, uint8 decimals) public {
        decimals %= 19;
        a %= 1e38;
        b %= 1e38;
        _give(alice, a, decimals, "", "");
        _give(bob, b, decimals, "", "");
        (uint64 count, int128 value, uint8 told) = _summary(_both(), "", "");
        assertTrue(count == 2 && told == decimals, "of both");
        assertTrue(value == (int256(a) + int256(b)) / 2, "the mean");
    }

    function test_AllFeedbackIsRead() public {
        _give(alice, 1, 0, "a", "");
        _give(alice, 2, 1, "b", "y");
        _give(bob, 3, 2, "a", "z");
        vm.prank(alice);
        reputation.revokeFeedback(agentId, 1);
        (
            address[] memory clients,
            uint64[] memory indexes,
            int128[] memory values,
            uint8[] memory decimals,
            string[] memory tag1s,
            string[] memory tag2s,
            bool[] memory revoked
        ) = reputation.readAllFeedback(agentId, new address[](0), "", "", true);
        assertEq(clients.length, 3, "all of it");
        assertTrue(clients[0] == alice && clients[1] == alice && clients[2] == bob, "the clients");
        assertTrue(indexes[0] == 1 && indexes[1] == 2 && indexes[2] == 1, "the numbers");
        assertTrue(values[0] == 1 && values[1] == 2 && values[2] == 3, "the values");
        assertTrue(decimals[0] == 0 && decimals[1] == 1 && decimals[2] == 2, "the decimals");
        assertText(tag1s[1], "b", "a first tag");
        assertText(tag2s[2], "z", "a second tag");
        assertTrue(revoked[0] && !revoked[1] && !revoked[2], "what was taken back");
        assertEq(_found(new address[](0), "", "", false), 2, "without what was taken back");
        assertEq(_found(_only(bob), "a", "", true), 1, "of one client");
        assertEq(_found(_both(), "a", "z", true), 1, "with both tags");
        assertEq(_found(_only(stranger), "", "", true), 0, "of nobody");
    }

    function test_AnyoneRespondsToFeedback() public {
        _give(alice, 1, 0, "", "");
        _give(alice, 2, 0, "", "");
        _give(bob, 3, 0, "", "");
        vm.expectEmit(address(reputation));
        emit IAgentReputation.ResponseAppended(agentId, alice, 1, owner, "ipfs://r", "hash");
        _respond(owner, alice, 1);
        _respond(owner, alice, 1);
        _respond(stranger, alice, 2);
        _respond(stranger, bob, 1);
        address[] memory anyone = new address[](0);
        assertEq(reputation.getResponseCount(agentId, alice, 1, anyone), 2, "to one");
        assertEq(reputation.getResponseCount(agentId, alice, 0, anyone), 3, "to hers");
        assertEq(reputation.getResponseCount(agentId, address(0), 0, anyone), 4, "to any");
        assertEq(
            reputation.getResponseCount(agentId, alice, 0, _only(stranger)), 1, "of the stranger to hers"
        );
        assertEq(reputation.getResponseCount(agentId, address(0), 0, _only(owner)), 2, "of the owner");
        assertEq(reputation.getResponseCount(agentId, address(0), 0, _only(bob)), 0, "of nobody");
    }

    function test_AResponseIsToSomethingAndSaysSomething() public {
        _give(alice, 1, 0, "", "");
        vm.expectRevert(abi.encodeWithSelector(IAgentReputation.FeedbackNotFound.selector, agentId, alice, 2));
        reputation.appendResponse(agentId, alice, 2, "ipfs://r", 0);
        vm.expectRevert(IAgentReputation.EmptyResponse.selector);
        reputation.appendResponse(agentId, alice, 1, "", 0);
    }

    function test_TheIdentityRegistryIsSetOnce() public {
        vm.expectRevert(IAgentReputation.AlreadyInitialized.selector);
        reputation.initialize(stranger);
        AgentReputation bare = AgentReputation(_deployOurs("AgentReputation", abi.encode(address(0))));
        vm.expectRevert(IAgentReputation.ZeroRegistry.selector);
        bare.initialize(address(0));
        bare.initialize(address(identity));
        assertEq(bare.getIdentityRegistry(), address(identity), "the identity registry");
        vm.expectRevert(IAgentReputation.AlreadyInitialized.selector);
        bare.initialize(address(identity));
    }

    function _give(address client, int128 value, uint8 decimals, string memory tag1, string memory tag2)
        private
    {
        vm.prank(client);
        reputation.giveFeedback(agentId, value, decimals, tag1, tag2, "", "", 0);
    }

    function _refuses(address client, int128 value, uint8 decimals, bytes memory reason) private {
        vm.prank(client);
        vm.expectRevert(reason);
        reputation.giveFeedback(agentId, value, decimals, "", "", "", "", 0);
    }

    function _respond(address responder, address client, uint64 index) private {
        vm.prank(responder);
        reputation.appendResponse(agentId, client, index, "ipfs://r", "hash");
    }

    function _summary(address[] memory clients, string memory tag1, string memory tag2)
        private
        view
        returns (uint64, int128, uint8)
    {
        return reputation.getSummary(agentId, clients, tag1, tag2);
    }

    function _found(address[] memory clients, string memory tag1, string memory tag2, bool revoked)
        private
        view
        returns (uint256)
    {
        (address[] memory found,,,,,,) = reputation.readAllFeedback(agentId, clients, tag1, tag2, revoked);
        return found.length;
    }

    function _only(address client) private pure returns (address[] memory clients) {
        clients = new address[](1);
        clients[0] = client;
    }

    function _both() private view returns (address[] memory clients) {
        clients = new address[](2);
        (clients[0], clients[1]) = (alice, bob);
    }
}
