// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {
    BreakerRule,
    Call,
    IAgentVault,
    PolicyConfig,
    PoolRule,
    TokenRule
} from "../src/interfaces/IAgentVault.sol";
import {Anchor, Decision, IDecisionAudit} from "../src/interfaces/IDecisionAudit.sol";
import {INonfungiblePositionManager, ISwapRouter02, IUniswapV3Pool} from "../src/interfaces/IUniswap.sol";
import {TradingPolicy} from "../src/TradingPolicy.sol";
import {TickPrice} from "../src/libraries/TickPrice.sol";
import {TwapBound} from "../src/libraries/TwapBound.sol";
import {StandinToken} from "../src/standin/StandinToken.sol";
import {GreedyPool, HookedToken} from "./support/Malicious.sol";
import {VaultFixture} from "./support/VaultFixture.sol";
import {IPoolSetup} from "./support/UniswapMarket.sol";

/// @dev Whoever holds the agent's key tries to steal. The vault has the limits that a run's vaults are made with: caps,
/// a bound on the price, a circuit breaker, a threshold for approvals. Each attempt fails, and what is the vault's
/// stays with it.
contract AttacksTest is VaultFixture {
    uint256 private constant OWNER_KEY = 0xB0B;
    uint120 private constant PER_TRADE = 40 ether;
    uint120 private constant PER_DAY = 200 ether;
    uint120 private constant APPROVAL_ABOVE = 20 ether;
    uint24 private constant DEVIATION = 100;

    function setUp() public override {
        super.setUp();
        (agentId, vault) = _createOwned(_limited());
        _fund(vault);
        _wait(600);
    }

    // Paying someone else

    function test_RecipientSwap() public {
        _refused(
            _poolSwapCall(address(usd), thief, 1 ether, 0.99 ether),
            abi.encodeWithSelector(TradingPolicy.RecipientNotVault.selector, thief)
        );
        _refused(
            _swapCall(_swapParams(address(usd), address(weth), thief, 1 ether)),
            abi.encodeWithSelector(TradingPolicy.RecipientNotVault.selector, thief)
        );
    }

    function test_MulticallHidingATransfer() public {
        bytes[] memory hidden = new bytes[](2);
        hidden[0] = abi.encodeCall(
            ISwapRouter02.exactInputSingle,
            (_swapParams(address(usd), address(weth), address(router), 1 ether))
        );
        hidden[1] = abi.encodeWithSignature("sweepToken(address,uint256,address)", address(weth), 0, thief);
        bytes memory data = abi.encodeWithSignature("multicall(bytes[])", hidden);
        _refused(
            _one(address(router), data),
            abi.encodeWithSelector(TradingPolicy.SelectorNotAllowed.selector, address(router), bytes4(data))
        );
        _refused(
            _one(address(usd), abi.encodeCall(usd.transfer, (thief, 1 ether))),
            abi.encodeWithSelector(TradingPolicy.TargetNotAllowed.selector, address(usd))
        );
    }

    function test_ArgumentsBehindTheArguments() public {
        Call[] memory calls = _poolSwapCall(address(usd), address(vault), 1 ether, 0.99 ether);
        calls[0].data = bytes.concat(calls[0].data, abi.encode(thief));
        bytes4 selector = IUniswapV3Pool.swap.selector;
        _refused(
            calls, abi.encodeWithSignature("MalformedCall(bytes4,uint256)", selector, calls[0].data.length)
        );
        // The minimum's offset points elsewhere, where the reader would see another number than the pool hands back.
        calls = _poolSwapCall(address(usd), address(vault), 1 ether, 0.99 ether);
        calls[0].data[4 + 4 * 32 + 31] = 0x80;
        _refused(
            calls, abi.encodeWithSignature("MalformedCall(bytes4,uint256)", selector, calls[0].data.length)
        );
    }

    // Worthless things

    function test_MaliciousToken() public {
        StandinToken worthless = _newToken("Worthless", "NIL");
        IPoolSetup trap = _openPool(address(worthless));
        _refused(
            _swapCall(_swapParams(address(weth), address(worthless), address(vault), 1 ether)),
            abi.encodeWithSelector(TradingPolicy.TokenNotAllowed.selector, address(worthless))
        );
        Call[] memory calls = _poolSwapCall(address(weth), address(vault), 1 ether, 0);
        calls[0].target = address(trap);
        _refused(calls, abi.encodeWithSelector(TradingPolicy.TargetNotAllowed.selector, address(trap)));
    }

    function test_MaliciousPoolWithARealToken() public {
        GreedyPool greedy = new GreedyPool(address(usd), address(weth));
        Call[] memory calls = _poolSwapCall(address(usd), address(vault), 1 ether, 0);
        calls[0].target = address(greedy);
        _refused(calls, abi.encodeWithSelector(TradingPolicy.TargetNotAllowed.selector, address(greedy)));
        // Out of turn, no pool is paid: not a false one, not the true one's neighbour, not the thief.
        vm.expectRevert(abi.encodeWithSelector(TradingPolicy.NotSwappingIn.selector, address(greedy)));
        greedy.collect(address(vault));
        vm.prank(address(pool));
        (bool ok,) = address(vault)
            .call(
                abi.encodeWithSignature("uniswapV3SwapCallback(int256,int256,bytes)", 1 ether, int256(0), "")
            );
        assertTrue(!ok, "the true pool is paid within a swap only");
        _nothingStolen();
    }

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

    // Rights that outlive the transaction

    function test_PermitSignature() public {
        // The vault signs for nobody: it isn't an account with a key, nor a contract that vouches for signatures.
        (bool ok, bytes memory answer) = address(vault)
            .call(
                abi.encodeWithSignature("isValidSignature(bytes32,bytes)", keccak256("permit"), new bytes(65))
            );
        assertTrue(!ok || answer.length == 0, "no signature is the vault's");
        bytes memory permit = abi.encodeWithSignature(
            "permit(address,uint256,uint256,uint8,bytes32,bytes32)",
            thief,
            1,
            DEADLINE,
            27,
            bytes32(0),
            bytes32(0)
        );
        _refused(
            _one(address(manager), permit),
            abi.encodeWithSelector(
                TradingPolicy.SelectorNotAllowed.selector, address(manager), bytes4(permit)
            )
        );
        bytes memory selfPermit = abi.encodeWithSignature(
            "selfPermit(address,uint256,uint256,uint8,bytes32,bytes32)",
            usd,
            1,
            DEADLINE,
            27,
            bytes32(0),
            bytes32(0)
        );
        _refused(
            _one(address(router), selfPermit),
            abi.encodeWithSelector(
                TradingPolicy.SelectorNotAllowed.selector, address(router), bytes4(selfPermit)
            )
        );
    }

    function test_NftApproval() public {
        (, bytes[] memory results) =
            _execute(_mintCall(_mintParams(address(usd), address(vault), -600, 600, 5 ether)));
        (uint256 positionId,,,) = abi.decode(results[0], (uint256, uint128, uint256, uint256));
        bytes[3] memory grabs = [
            abi.encodeWithSignature("approve(address,uint256)", thief, positionId),
            abi.encodeWithSignature("setApprovalForAll(address,bool)", thief, true),
            abi.encodeWithSignature(
                "safeTransferFrom(address,address,uint256)", address(vault), thief, positionId
            )
        ];
        for (uint256 i = 0; i < grabs.length; ++i) {
            _executeReverts(
                _one(address(manager), grabs[i]),
                abi.encodeWithSelector(
                    TradingPolicy.SelectorNotAllowed.selector, address(manager), bytes4(grabs[i])
                )
            );
        }
        assertEq(manager.ownerOf(positionId), address(vault), "whose position it is");
    }

    function test_AllowanceLeftBehind() public {
        // The position takes less than it is lent: the rest is taken back.
        _execute(_mintCall(_mintParams(address(usd), address(vault), 600, 1200, 5 ether)));
        assertEq(usd.allowance(address(vault), address(manager)), 0, "dollars");
        assertEq(weth.allowance(address(vault), address(manager)), 0, "ether");
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

    // Re-entry and gas

    function test_ReentryByAHook() public {
        // A token that calls its sender back, as ERC-777 does, and a vault whose key is that token's accomplice.
        HookedToken hooked = new HookedToken();
        IPoolSetup hookedPool = _openPool(address(hooked));
        PolicyConfig memory policy = _limited();
        policy.tokens[0].token = address(hooked);
        policy.pools[0] = PoolRule(address(hookedPool), 0, 0);
        policy.breaker.maxDrawdownBps = 0;
        (agentId, vault) = _createOwned(policy);
        _give(address(hooked), address(vault), FUNDS);
        vm.prank(_owner());
        vault.rotateAgentKey(address(hooked));
        Call[] memory calls = _swapCall(_swapParams(address(hooked), address(weth), address(vault), 1 ether));
        Decision memory decision = _decide(calls);
        hooked.arm(
            address(vault), abi.encodeCall(IAgentVault.execute, (_nothing(), decision, PAYLOAD, calls))
        );
        vm.prank(address(hooked));
        vault.execute(_nothing(), decision, PAYLOAD, calls);
        assertTrue(hooked.tried(), "it came back");
        assertEq(
            bytes32(hooked.reason()),
            bytes32(bytes4(keccak256("ReentrancyGuardReentrantCall()"))),
            "and was turned away"
        );
        assertEq(hooked.balanceOf(address(vault)), FUNDS - 1 ether, "one swap's worth is gone");
    }

    function test_GasGriefing(uint24 gas_) public {
        // However little gas the key's holder sends along, it is all of it or nothing.
        Call[] memory calls = _poolSwapCall(address(usd), address(vault), 1 ether, _least(1 ether));
        Decision memory decision = _decide(calls);
        uint256 before = usd.balanceOf(address(vault));
        vm.prank(agentKey);
        (bool ok,) = address(vault).call{gas: within(gas_, 20_000, 600_000)}(
            abi.encodeCall(IAgentVault.execute, (_nothing(), decision, PAYLOAD, calls))
        );
        (, uint64 next,, uint256 records) = audit.agentOf(agentId);
        assertEq(next, ok ? 1 : 0, "decisions");
        assertEq(records, ok ? 1 : 0, "records");
        assertEq(usd.balanceOf(address(vault)), ok ? before - 1 ether : before, "dollars");
    }

    function test_FloodingWithPositions() public {
        // Positions that nobody asked for neither raise the vault's worth beyond what they hold nor stop its trading.
        for (uint256 i = 0; i < 20; ++i) {
            _give(address(usd), maker, 1 gwei);
            _giveWeth(maker, 1 gwei);
            vm.prank(maker);
            manager.mint(_mintParams(address(usd), address(vault), -600, 600, 1 gwei));
        }
        _wait(3_600);
        _execute(_poolSwapCall(address(usd), address(vault), 1 ether, _least(1 ether)));
    }

    function _limited() private view returns (PolicyConfig memory policy) {
        policy = _policy();
        policy.tokens[0] = TokenRule(address(usd), PER_TRADE, PER_DAY, APPROVAL_ABOVE);
        policy.tokens[1] = TokenRule(address(weth), PER_TRADE, PER_DAY, APPROVAL_ABOVE);
        policy.pools[0] = PoolRule(address(pool), 300, DEVIATION);
        policy.breaker = BreakerRule(address(usd), 2_000, 3_600);
    }

    function _createOwned(PolicyConfig memory policy) private returns (uint256 id, IAgentVault created) {
        address at;
        (id, at) = factory.createVault(_owner(), agentKey, policy);
        created = IAgentVault(at);
    }

    function _owner() private pure returns (address) {
        return vm.addr(OWNER_KEY);
    }

    function _approve(IAgentVault for_, Decision memory decision, uint256 deadline)
        private
        view
        returns (bytes memory)
    {
        bytes32 digest = for_.approvalDigest(audit.digestOf(decision), deadline);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(OWNER_KEY, digest);
        return abi.encodePacked(r, s, v);
    }

    function _approvalRefused(
        IAgentVault by,
        Decision memory decision,
        Call[] memory calls,
        uint256 deadline,
        bytes memory signature
    ) private {
        bytes32 wanted = by.approvalDigest(audit.digestOf(decision), deadline);
        vm.prank(agentKey);
        vm.expectRevert(abi.encodeWithSelector(IAgentVault.NotOwnersSignature.selector, wanted));
        by.executeApproved(_nothing(), decision, PAYLOAD, calls, deadline, signature);
    }

    function _refused(Call[] memory calls, bytes memory reason) private {
        _executeReverts(calls, reason);
        _nothingStolen();
    }

    function _approvedRefused(Call[] memory calls, bytes memory reason) private {
        Decision memory decision = _decide(calls);
        bytes memory signature = _approve(vault, decision, DEADLINE);
        vm.prank(agentKey);
        vm.expectRevert(reason);
        vault.executeApproved(_nothing(), decision, PAYLOAD, calls, DEADLINE, signature);
    }

    function _nothingStolen() private view {
        assertEq(usd.balanceOf(thief) + weth.balanceOf(thief), 0, "the thief's gains");
        assertEq(usd.balanceOf(agentKey) + weth.balanceOf(agentKey), 0, "the key's gains");
        assertEq(usd.balanceOf(address(vault)), FUNDS, "the vault's dollars");
        assertEq(weth.balanceOf(address(vault)), FUNDS, "the vault's ether");
    }

    /// @dev The least that may be asked for at an average price of one: 1.0001**-100, rounded up a little.
    function _least(uint256 amount) private pure returns (uint256) {
        return amount * 990_050_328_742 / 1e12;
    }

    function _wait(uint256 time) private {
        vm.warp(vm.getBlockTimestamp() + time);
        vm.roll(vm.getBlockNumber() + 1);
        vm.setBlockhash(vm.getBlockNumber() - 1, keccak256("the block decided upon"));
    }
}
