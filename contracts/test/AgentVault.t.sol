// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC721Receiver} from "@openzeppelin/contracts/token/ERC721/IERC721Receiver.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {Call, IAgentVault, PolicyConfig} from "../src/interfaces/IAgentVault.sol";
import {IAgentVaultFactory} from "../src/interfaces/IAgentVaultFactory.sol";
import {Anchor, Decision, IDecisionAudit} from "../src/interfaces/IDecisionAudit.sol";
import {VaultFixture} from "./support/VaultFixture.sol";

/// @dev Who may do what with a vault. What its calls may be is in TradingPolicy.t.sol.
contract AgentVaultTest is VaultFixture {
    // Executing

    function test_ASwapIsRecordedAndMade() public {
        Call[] memory calls = _swapCall(1 ether);
        Decision memory decision = _decide(calls);
        bytes32 digest = audit.digestOf(decision);
        vm.expectEmit(address(audit));
        emit IDecisionAudit.DecisionRecorded(1, agentId, digest, decision, PAYLOAD);
        vm.prank(agentKey);
        (uint256 tokenId, bytes[] memory results) = vault.execute(_nothing(), decision, PAYLOAD, calls);
        assertEq(tokenId, 1, "the record's number");
        uint256 bought = abi.decode(results[0], (uint256));
        assertTrue(bought > 0.99 ether, "something was bought");
        assertEq(usd.balanceOf(address(vault)), FUNDS - 1 ether, "the dollars left");
        assertEq(weth.balanceOf(address(vault)), FUNDS + bought, "the ether bought");
    }

    function test_SeveralCallsAreOneDecision() public {
        Call[] memory calls = new Call[](2);
        calls[0] = _swapCall(1 ether)[0];
        calls[1] = _mintCall(_mintParams(address(usd), address(vault), -600, 600, 10 ether))[0];
        (uint256 tokenId, bytes[] memory results) = _execute(calls);
        assertEq(audit.totalSupply(), tokenId, "one record");
        assertEq(results.length, 2, "a result for each call");
    }

    function test_AnAnchorGoesAhead() public {
        Anchor memory pending = Anchor(keccak256("root"), 0, 4, keccak256("last"));
        Call[] memory calls = _swapCall(1 ether);
        Decision memory decision = _decide(calls);
        decision.sequence = 4;
        decision.previousDigest = pending.lastDigest;
        vm.prank(agentKey);
        vault.execute(pending, decision, PAYLOAD, calls);
        (, uint64 next,,) = audit.agentOf(agentId);
        assertEq(next, 5, "the next sequence");
    }

    function test_OnlyTheAgentsKeyExecutes(address caller) public {
        vm.assume(caller != agentKey);
        Call[] memory calls = _swapCall(1 ether);
        Decision memory decision = _decide(calls);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IAgentVault.NotAgentKey.selector, caller));
        vault.execute(_nothing(), decision, PAYLOAD, calls);
    }

    function test_TheCallsAreTheOnesDecidedUpon() public {
        Decision memory decision = _decide(_swapCall(1 ether));
        Call[] memory others = _swapCall(2 ether);
        vm.prank(agentKey);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAgentVault.WrongActionDigest.selector, decision.actionDigest, keccak256(abi.encode(others))
            )
        );
        vault.execute(_nothing(), decision, PAYLOAD, others);
    }

    function test_NoCallsNoRecord() public {
        _executeReverts(new Call[](0), abi.encodeWithSelector(IAgentVault.NothingToExecute.selector));
    }

    function test_ARevertingCallLeavesNoRecord() public {
        Call[] memory calls = new Call[](2);
        calls[0] = _swapCall(1 ether)[0];
        calls[1] = _swapCall(FUNDS)[0];
        Decision memory decision = _decide(calls);
        vm.prank(agentKey);
        vm.expectRevert(abi.encodeWithSignature("Error(string)", "STF"));
        vault.execute(_nothing(), decision, PAYLOAD, calls);
        assertEq(audit.totalSupply(), 0, "records");
        assertEq(usd.balanceOf(address(vault)), FUNDS, "the dollars");
        (, uint64 next, bytes32 last,) = audit.agentOf(agentId);
        assertEq(next, 0, "the next sequence");
        assertEq(last, bytes32(0), "the chain's head");
    }

    function test_AnExecutionIsNotReplayed() public {
        Call[] memory calls = _swapCall(1 ether);
        Decision memory decision = _decide(calls);
        vm.prank(agentKey);
        vault.execute(_nothing(), decision, PAYLOAD, calls);
        vm.prank(agentKey);
        vm.expectRevert(abi.encodeWithSelector(IDecisionAudit.WrongSequence.selector, 1, 0));
        vault.execute(_nothing(), decision, PAYLOAD, calls);
    }

    function test_AVaultDoesNotTakeAnothersDecision() public {
        (uint256 otherId, IAgentVault other) = _createVault(_policy());
        Call[] memory calls = _swapCall(1 ether);
        Decision memory decision = _decide(otherId, calls);
        vm.prank(agentKey);
        vm.expectRevert(abi.encodeWithSelector(IDecisionAudit.NotVaultOfAgent.selector, vault, otherId));
        vault.execute(_nothing(), decision, PAYLOAD, calls);
        assertTrue(other != vault, "two vaults");
    }

    // Anchoring

    function test_TheAgentsKeyAnchors() public {
        vm.prank(agentKey);
        vault.anchor(Anchor(keccak256("root"), 0, 9, keccak256("last")));
        (, uint64 next,,) = audit.agentOf(agentId);
        assertEq(next, 9, "the next sequence");
    }

    function test_NobodyElseAnchors() public {
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(IAgentVault.NotAgentKey.selector, owner));
        vault.anchor(Anchor(keccak256("root"), 0, 9, keccak256("last")));
    }

    // The owner

    function test_APausedVaultDoesNotTrade() public {
        vm.expectEmit(address(vault));
        emit IAgentVault.Paused(owner);
        vm.prank(owner);
        vault.pause();
        _executeReverts(_swapCall(1 ether), abi.encodeWithSelector(IAgentVault.VaultPaused.selector));
        vm.prank(agentKey);
        vault.anchor(Anchor(keccak256("root"), 0, 1, keccak256("last")));

        vm.expectEmit(address(vault));
        emit IAgentVault.Unpaused(owner);
        vm.prank(owner);
        vault.unpause();
        (uint256 tokenId,) = _execute(_swapCall(1 ether));
        assertEq(tokenId, 1, "the record's number");
    }

    function test_TheOwnerRotatesTheKey() public {
        vm.expectEmit(address(vault));
        emit IAgentVault.AgentKeyRotated(agentKey, trader);
        vm.prank(owner);
        vault.rotateAgentKey(trader);
        _executeReverts(
            _swapCall(1 ether), abi.encodeWithSelector(IAgentVault.NotAgentKey.selector, agentKey)
        );
        Call[] memory calls = _swapCall(1 ether);
        Decision memory decision = _decide(calls);
        vm.prank(trader);
        vault.execute(_nothing(), decision, PAYLOAD, calls);
        assertEq(audit.totalSupply(), 1, "the new key's record");
    }

    function test_AVaultHasAKey() public {
        vm.prank(owner);
        vm.expectRevert(IAgentVault.ZeroAddress.selector);
        vault.rotateAgentKey(address(0));
    }

    function test_TheOwnerWithdrawsTokensPausedOrNot() public {
        vm.prank(owner);
        vault.pause();
        vm.prank(owner);
        vault.withdrawToken(address(usd), owner, FUNDS);
        assertEq(usd.balanceOf(owner), FUNDS, "the owner's dollars");
        vm.prank(owner);
        vm.expectRevert(IAgentVault.ZeroAddress.selector);
        vault.withdrawToken(address(weth), address(0), 1);
    }

    function test_TheOwnerWithdrawsEther() public {
        vm.deal(trader, 3 ether);
        vm.prank(trader);
        (bool sent,) = address(vault).call{value: 3 ether}("");
        assertTrue(sent, "the vault takes ether");
        uint256 before = owner.balance;
        vm.prank(owner);
        vault.withdrawEther(payable(owner), 3 ether);
        assertEq(owner.balance - before, 3 ether, "the owner's ether");
        vm.prank(owner);
        vm.expectRevert(IAgentVault.ZeroAddress.selector);
        vault.withdrawEther(payable(address(0)), 0);
    }

    function test_TheOwnerWithdrawsPositions() public {
        uint256 positionId = _openPosition();
        vm.prank(owner);
        vault.withdrawPosition(address(manager), positionId, owner);
        assertEq(manager.ownerOf(positionId), owner, "the position's owner");
    }

    function test_AVaultTakesPositions() public {
        bytes4 answer = IERC721Receiver(address(vault)).onERC721Received(owner, owner, 1, "");
        assertEq(
            bytes32(answer),
            bytes32(IERC721Receiver.onERC721Received.selector),
            "the answer to a safe transfer"
        );
    }

    function test_NobodyElseIsTheOwner(address caller) public {
        vm.assume(caller != owner);
        PolicyConfig memory policy = _policy();
        bytes[9] memory calls = [
            abi.encodeCall(IAgentVault.pause, ()),
            abi.encodeCall(IAgentVault.unpause, ()),
            abi.encodeCall(IAgentVault.rotateAgentKey, (caller)),
            abi.encodeCall(IAgentVault.setPolicy, (policy)),
            abi.encodeCall(IAgentVault.applyPolicy, (policy)),
            abi.encodeCall(IAgentVault.withdrawProposal, ()),
            abi.encodeCall(IAgentVault.withdrawEther, (payable(caller), 0)),
            abi.encodeCall(IAgentVault.withdrawToken, (address(usd), caller, 1)),
            abi.encodeCall(IAgentVault.withdrawPosition, (address(manager), 1, caller))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(caller);
            (bool ok, bytes memory reason) = address(vault).call(calls[i]);
            assertTrue(!ok, "a call that is the owner's");
            assertEq(
                keccak256(reason),
                keccak256(abi.encodeWithSelector(IAgentVault.NotOwner.selector, caller)),
                "why it reverts"
            );
        }
    }

    function test_AWithdrawalDoesNotReenter() public {
        Reentrant greedy = new Reentrant(vault);
        vm.prank(owner);
        vault.rotateAgentKey(address(greedy));
        vm.deal(address(vault), 2 ether);
        vm.prank(owner);
        vault.withdrawEther(payable(address(greedy)), 1 ether);
        assertEq(
            bytes32(greedy.reason()),
            bytes32(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector),
            "why the agent's key couldn't anchor meanwhile"
        );
    }

    // The factory

    function test_AVaultIsAnAgents() public view {
        assertEq(agentId, 0, "the first agent's number");
        assertEq(vault.agentId(), agentId, "the vault's agent");
        assertEq(vault.owner(), owner, "its owner");
        assertEq(vault.agentKey(), agentKey, "its key");
        assertEq(address(vault.audit()), address(audit), "its audit");
        assertEq(vault.factory(), address(factory), "its factory");
        assertEq(vault.policyVersion(), 1, "its policy's version");
        (address bound,,,) = audit.agentOf(agentId);
        assertEq(bound, address(vault), "the agent's vault");
        assertEq(audit.registrar(), address(factory), "who binds vaults");
    }

    function test_AVaultsAddressIsKnownBefore() public {
        address predicted = factory.predictVault(owner, agentKey, _policy());
        vm.expectEmit(address(factory));
        emit IAgentVaultFactory.VaultCreated(1, predicted, owner, agentKey);
        (uint256 id, IAgentVault created) = _createVault(_policy());
        assertEq(id, 1, "the second agent's number");
        assertEq(address(created), predicted, "its vault's address");
        assertTrue(
            factory.predictVault(owner, agentKey, _policy()) != predicted, "the next one stands elsewhere"
        );
        assertEq(factory.nextAgentId(), 2, "the next agent's number");
    }

    function test_AVaultIsInitialisedOnce() public {
        PolicyConfig memory policy = _policy();
        vm.prank(address(factory));
        vm.expectRevert(IAgentVault.AlreadyInitialized.selector);
        vault.initialize(0, thief, thief, policy);
    }

    function test_OnlyTheFactoryInitialises() public {
        PolicyConfig memory policy = _policy();
        IAgentVault implementation = IAgentVault(factory.vaultImplementation());
        vm.prank(thief);
        vm.expectRevert(abi.encodeWithSelector(IAgentVault.NotFactory.selector, thief));
        implementation.initialize(0, thief, thief, policy);
    }

    function test_AVaultNeedsAnOwnerAndAKey() public {
        PolicyConfig memory policy = _policy();
        vm.expectRevert(IAgentVault.ZeroAddress.selector);
        factory.createVault(address(0), agentKey, policy);
        vm.expectRevert(IAgentVault.ZeroAddress.selector);
        factory.createVault(owner, address(0), policy);
    }
}

/// @dev The holder of an agent's key that tries to act while it is being paid.
contract Reentrant {
    IAgentVault private immutable vault;
    bytes4 public reason;

    constructor(IAgentVault vault_) {
        vault = vault_;
    }

    receive() external payable {
        try vault.anchor(Anchor(keccak256("root"), 0, 1, keccak256("last"))) {}
        catch (bytes memory data) {
            reason = bytes4(data);
        }
    }
}
