// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Call, IAgentVault, PolicyConfig} from "../src/interfaces/IAgentVault.sol";
import {Decision, IDecisionAudit} from "../src/interfaces/IDecisionAudit.sol";
import {TradingPolicy} from "../src/TradingPolicy.sol";
import {TickPrice} from "../src/libraries/TickPrice.sol";
import {TwapBound} from "../src/libraries/TwapBound.sol";
import {AttackFixture} from "./support/AttackFixture.sol";

/// @dev Attempts on the limits: prices, caps, the breaker, approvals, the policy itself.
contract AttacksOnLimitsTest is AttackFixture {
    // The price

    function test_SandwichingItself() public {
        // The key's holder makes ether dear, lets the vault buy it, and would sell what it has.
        _someoneSwaps(address(usd), address(weth), 200_000 ether);
        uint256 bound = _least(1 ether);
        _refused(
            _poolSwapCall(address(usd), address(vault), 1 ether, 0),
            abi.encodeWithSelector(
                TwapBound.MinimumOutTooLow.selector,
                0,
                TickPrice.quoteAtTick(-int24(DEVIATION), 1 ether, true)
            )
        );
        Call[] memory honest = _poolSwapCall(address(usd), address(vault), 1 ether, bound);
        Decision memory decision = _decide(honest);
        vm.prank(agentKey);
        vm.expectPartialRevert(TradingPolicy.TooLittleReceived.selector);
        vault.execute(_nothing(), decision, PAYLOAD, honest);
        _nothingStolen();
    }

    function test_LiquidityAtAPushedPrice() public {
        _someoneSwaps(address(usd), address(weth), 200_000 ether);
        Call[] memory calls = _mintCall(_mintParams(address(usd), address(vault), -600, 600, 1 ether));
        Decision memory decision = _decide(calls);
        vm.prank(agentKey);
        vm.expectPartialRevert(TwapBound.SpotTooFar.selector);
        vault.execute(_nothing(), decision, PAYLOAD, calls);
        _nothingStolen();
    }

    function test_BleedingByManyTrades() public {
        uint256 sold = 0;
        for (uint256 i = 0; i < 12; ++i) {
            Call[] memory calls = _poolSwapCall(address(usd), address(vault), 10 ether, _least(10 ether));
            Decision memory decision = _decide(calls);
            vm.prank(agentKey);
            try vault.execute(_nothing(), decision, PAYLOAD, calls) {
                sold += 10 ether;
            } catch {}
        }
        assertEq(sold, PER_DAY / 2, "half a day's cap, and no more");
    }

    function test_SplittingATradeWithinOneTransaction() public {
        Call[] memory calls = new Call[](5);
        for (uint256 i = 0; i < 5; ++i) {
            calls[i] = _poolSwapCall(address(usd), address(vault), 9 ether, _least(9 ether))[0];
        }
        _refused(
            calls,
            abi.encodeWithSelector(
                TradingPolicy.ApprovalNeeded.selector, address(usd), 27 ether, APPROVAL_ABOVE
            )
        );
        _approvedRefused(
            calls,
            abi.encodeWithSelector(TradingPolicy.TradeCapExceeded.selector, address(usd), 45 ether, PER_TRADE)
        );
    }

    function test_TradingOnAfterALoss() public {
        Call[] memory calls = _poolSwapCall(address(usd), address(vault), 1 ether, _least(1 ether));
        _execute(calls);
        // What the vault lost, however it came about, ends the trading an hour later.
        uint256 lost = weth.balanceOf(address(vault)) / 2;
        vm.prank(address(vault));
        weth.transfer(address(0xDEAD), lost);
        _wait(3_600);
        Decision memory decision = _decide(calls);
        vm.prank(agentKey);
        vm.expectPartialRevert(TradingPolicy.DrawdownExceeded.selector);
        vault.execute(_nothing(), decision, PAYLOAD, calls);
        vm.prank(thief);
        vault.mark();
        assertTrue(vault.paused(), "anyone may pause a vault that has fallen");
        // The owner has looked, and goes on from here.
        vm.prank(_owner());
        vault.unpause();
        _execute(calls);
    }

    // Decisions and approvals

    function test_ReplayOfAnApproval() public {
        Call[] memory calls = _poolSwapCall(address(usd), address(vault), 30 ether, _least(30 ether));
        Decision memory decision = _decide(calls);
        bytes memory signature = _approve(vault, decision, DEADLINE);
        vm.prank(agentKey);
        vault.executeApproved(_nothing(), decision, PAYLOAD, calls, DEADLINE, signature);
        vm.prank(agentKey);
        vm.expectRevert(abi.encodeWithSelector(IDecisionAudit.WrongSequence.selector, 1, 0));
        vault.executeApproved(_nothing(), decision, PAYLOAD, calls, DEADLINE, signature);
        // Nor does it stand for the next decision, though that does the same.
        Decision memory next = _decide(calls);
        _approvalRefused(vault, next, calls, DEADLINE, signature);
    }

    function test_ApprovalOfAnotherDecisionVaultOrDeadline() public {
        Call[] memory calls = _poolSwapCall(address(usd), address(vault), 30 ether, _least(30 ether));
        Decision memory decision = _decide(calls);
        (, IAgentVault other) = _createOwned(_limited());
        _approvalRefused(vault, decision, calls, DEADLINE, _approve(other, decision, DEADLINE));
        _approvalRefused(vault, decision, calls, DEADLINE, _approve(vault, decision, DEADLINE - 1));
        bytes memory signature = _approve(vault, decision, DEADLINE);
        decision.forecast += 1;
        _approvalRefused(vault, decision, calls, DEADLINE, signature);
        _approvalRefused(vault, decision, calls, DEADLINE, new bytes(65));
        _nothingStolen();
    }

    function test_ExpiredDeadline() public {
        Call[] memory calls = _poolSwapCall(address(usd), address(vault), 30 ether, _least(30 ether));
        Decision memory decision = _decide(calls);
        uint256 deadline = vm.getBlockTimestamp() + 60;
        bytes memory signature = _approve(vault, decision, deadline);
        vm.warp(deadline + 1);
        vm.prank(agentKey);
        vm.expectRevert(abi.encodeWithSelector(IAgentVault.ApprovalExpired.selector, deadline));
        vault.executeApproved(_nothing(), decision, PAYLOAD, calls, deadline, signature);
        // In time it would have gone through.
        vm.warp(deadline);
        vm.prank(agentKey);
        vault.executeApproved(_nothing(), decision, PAYLOAD, calls, deadline, signature);
    }

    function test_AboveTheThresholdWithoutApproval() public {
        Call[] memory calls = _poolSwapCall(address(usd), address(vault), 30 ether, _least(30 ether));
        _refused(
            calls,
            abi.encodeWithSelector(
                TradingPolicy.ApprovalNeeded.selector, address(usd), 30 ether, APPROVAL_ABOVE
            )
        );
    }

    function test_DecisionOfAnotherVault() public {
        (uint256 otherId, IAgentVault other) = _createOwned(_limited());
        Call[] memory calls = _poolSwapCall(address(usd), address(vault), 1 ether, _least(1 ether));
        Decision memory decision = _decide(otherId, calls);
        vm.prank(agentKey);
        vm.expectRevert(abi.encodeWithSelector(IDecisionAudit.NotVaultOfAgent.selector, vault, otherId));
        vault.execute(_nothing(), decision, PAYLOAD, calls);
        vm.prank(agentKey);
        vm.expectRevert(abi.encodeWithSelector(IDecisionAudit.NotVaultOfAgent.selector, agentKey, otherId));
        audit.record(_nothing(), decision, PAYLOAD);
        assertTrue(address(other) != address(vault), "two vaults");
    }

    function test_LooseningThePolicy() public {
        vm.prank(agentKey);
        vm.expectRevert(abi.encodeWithSelector(IAgentVault.NotOwner.selector, agentKey));
        vault.setPolicy(_policy());
        // Even a stolen owner's session waits a day, in which the owner can pause, withdraw, and take it back.
        vm.prank(_owner());
        vault.setPolicy(_policy());
        (bytes32 digest, uint256 effectiveAt) = vault.proposal();
        assertEq(digest, keccak256(abi.encode(_policy())), "what is proposed");
        vm.prank(_owner());
        vm.expectRevert(abi.encodeWithSelector(IAgentVault.TooEarly.selector, effectiveAt));
        vault.applyPolicy(_policy());
        (, uint120 cap,,) = vault.tokenLimits(address(usd));
        assertEq(cap, PER_TRADE, "the cap until then");
        vm.prank(_owner());
        vault.withdrawProposal();
        vm.warp(effectiveAt);
        vm.prank(_owner());
        vm.expectRevert(
            abi.encodeWithSelector(IAgentVault.NotProposed.selector, keccak256(abi.encode(_policy())))
        );
        vault.applyPolicy(_policy());
    }

    function test_EachWayToLoosenWaits() public {
        PolicyConfig[7] memory looser;
        for (uint256 i = 0; i < looser.length; ++i) {
            looser[i] = _limited();
        }
        looser[0].tokens[0].maxPerTrade += 1;
        looser[1].tokens[0].maxPerDay += 1;
        looser[2].tokens[0].approvalAbove += 1;
        looser[3].pools[0].maxTickDeviation += 1;
        looser[4].pools[0].twapSeconds -= 1;
        looser[5].breaker.maxDrawdownBps += 1;
        looser[6].breaker.markSeconds += 1;
        for (uint256 i = 0; i < looser.length; ++i) {
            vm.prank(_owner());
            vault.setPolicy(looser[i]);
            assertEq(vault.policyVersion(), 1, "the version of a looser policy");
        }
        PolicyConfig memory tighter = _limited();
        tighter.tokens[0].maxPerTrade -= 1;
        tighter.breaker.maxDrawdownBps -= 1;
        vm.prank(_owner());
        vault.setPolicy(tighter);
        assertEq(vault.policyVersion(), 2, "the version of a tighter one");
    }
}
