// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Call, PolicyConfig, TokenRule} from "../src/interfaces/IAgentVault.sol";
import {Decision} from "../src/interfaces/IDecisionAudit.sol";
import {ISwapRouter02} from "../src/interfaces/IUniswap.sol";
import {TradingPolicy} from "../src/TradingPolicy.sol";
import {SpendingCap} from "../src/libraries/SpendingCap.sol";
import {Assertions} from "./support/Vm.sol";
import {VaultFixture} from "./support/VaultFixture.sol";

/// @dev Caps on what a vault spends, as its owner sets them.
contract SpendingCapsTest is VaultFixture {
    uint120 private constant PER_TRADE = 3 ether;
    uint120 private constant PER_DAY = 10 ether;

    function setUp() public override {
        super.setUp();
        _cap(PER_TRADE, PER_DAY);
    }

    function test_ATradeUpToItsCapIsMade() public {
        _execute(_swapCall(PER_TRADE));
        assertEq(usd.balanceOf(address(vault)), FUNDS - PER_TRADE, "the dollars left");
    }

    function test_ATradeBeyondItsCapIsNot(uint256 amount) public {
        amount = within(amount, PER_TRADE + 1, FUNDS);
        _executeReverts(
            _swapCall(amount),
            abi.encodeWithSelector(TradingPolicy.TradeCapExceeded.selector, address(usd), amount, PER_TRADE)
        );
    }

    function test_ATradeCutInPiecesIsStillOneTrade() public {
        Call[] memory calls = new Call[](2);
        calls[0] = _swapCall(2 ether)[0];
        calls[1] = calls[0];
        _executeReverts(
            calls,
            abi.encodeWithSelector(TradingPolicy.TradeCapExceeded.selector, address(usd), 4 ether, PER_TRADE)
        );
        calls[1] = _swapCall(1 ether)[0];
        _execute(calls);
    }

    function test_TheNextTradeStartsAnew() public {
        _execute(_swapCall(2 ether));
        _execute(_swapCall(2 ether));
        assertEq(usd.balanceOf(address(vault)), FUNDS - 4 ether, "the dollars left");
    }

    function test_LiquidityIsSpendingToo() public {
        _executeReverts(
            _mintCall(_mintParams(address(usd), address(vault), -600, 600, PER_TRADE + 1 ether)),
            abi.encodeWithSelector(
                TradingPolicy.TradeCapExceeded.selector, address(usd), PER_TRADE + 1 ether, PER_TRADE
            )
        );
    }

    function test_OnlyWhatIsTakenCounts() public {
        // All of it above the price or all of it below: one token is taken, the other's allowance comes back.
        (int24 lower, int24 upper) =
            address(usd) < address(weth) ? (int24(100), int24(600)) : (int24(-600), int24(-100));
        _execute(_mintCall(_mintParams(address(usd), address(vault), lower, upper, 2 ether)));
        assertEq(vault.spendable(address(usd)), PER_DAY / 2 - 2 ether, "what is left for now");
    }

    /// @dev Some tokens take the largest allowance they can write down for one without end, and never lessen it.
    function test_WhatLeavesCountsWhateverTheAllowanceSays() public {
        EndlessToken endless = new EndlessToken();
        _openPool(address(endless));
        _give(address(endless), address(vault), FUNDS);
        PolicyConfig memory policy = _policy();
        policy.tokens[0] = TokenRule(address(endless), PER_TRADE, PER_DAY, NO_CAP);
        policy.pools[0].pool = uniswap.getPool(address(endless), address(weth), FEE);
        _setPolicy(policy);

        ISwapRouter02.ExactInputSingleParams memory params =
            _swapParams(address(endless), address(weth), address(vault), type(uint96).max);
        // The swap stops two basis points from the price, after some 500 tokens.
        params.sqrtPriceLimitX96 =
            address(endless) < address(weth) ? PRICE_ONE - PRICE_ONE / 1e4 : PRICE_ONE + PRICE_ONE / 1e4;
        Call[] memory calls = _swapCall(params);
        Decision memory decision = _decide(calls);
        vm.prank(agentKey);
        vm.expectPartialRevert(TradingPolicy.TradeCapExceeded.selector);
        vault.execute(_nothing(), decision, PAYLOAD, calls);
    }

    function test_ADayHasItsCap() public {
        _execute(_swapCall(3 ether));
        _execute(_swapCall(2 ether));
        assertEq(vault.spendable(address(usd)), 0, "what is left for now");
        _executeReverts(
            _swapCall(1), abi.encodeWithSelector(TradingPolicy.DailyCapExceeded.selector, address(usd), 1, 0)
        );
        vm.warp(vm.getBlockTimestamp() + 12 hours);
        assertEq(vault.spendable(address(usd)), PER_DAY / 4, "what half a day gave back");
        _execute(_swapCall(2.5 ether));
    }

    function test_ANewPolicyForgetsNoSpending() public {
        _execute(_swapCall(3 ether));
        _cap(PER_TRADE, PER_DAY);
        assertEq(vault.spendable(address(usd)), 2 ether, "what is left for now");
    }

    function test_TheOtherTokenHasNoCap() public {
        _execute(_swapCall(_swapParams(address(weth), address(usd), address(vault), FUNDS)));
        assertEq(weth.balanceOf(address(vault)), 0, "the ether left");
    }

    function test_AWithdrawalIsNoSpending() public {
        vm.prank(owner);
        vault.withdrawToken(address(usd), owner, FUNDS);
        assertEq(vault.spendable(address(usd)), PER_DAY / 2, "what is left for now");
    }

    function _cap(uint120 perTrade, uint120 perDay) private {
        PolicyConfig memory policy = _policy();
        policy.tokens[0].maxPerTrade = perTrade;
        policy.tokens[0].maxPerDay = perDay;
        _setPolicy(policy);
    }
}

/// @dev The bucket itself, over any sequence of spending.
contract SpendingCapTest is Assertions {
    using SpendingCap for SpendingCap.Bucket;

    struct Spending {
        uint32 wait;
        uint120 amount;
    }

    SpendingCap.Bucket private bucket;

    /// @dev In any 24 hours, wherever they begin and across midnight: at most the cap.
    function test_AnyDaysSpendingIsWithinTheCap(uint120 maxPerDay, Spending[24] calldata tries) public {
        vm.assume(maxPerDay != SpendingCap.UNLIMITED);
        uint256 now_ = 1_700_000_000;
        uint256[24] memory times;
        uint256[24] memory spent;
        for (uint256 i = 0; i < tries.length; ++i) {
            now_ += tries[i].wait % 6 hours;
            vm.warp(now_);
            uint256 available = bucket.available(maxPerDay);
            // As often as not all that is left, since that is where a cap fails first.
            uint256 amount = tries[i].amount % 2 == 0 ? available : within(tries[i].amount, 0, maxPerDay);
            bool ok = bucket.consume(maxPerDay, amount);
            assertTrue(ok == (amount <= available), "what is available can be spent, and no more");
            times[i] = now_;
            spent[i] = ok ? amount : 0;
        }
        for (uint256 start = 0; start < times.length; ++start) {
            uint256 total = 0;
            for (uint256 i = start; i < times.length && times[i] < times[start] + 1 days; ++i) {
                total += spent[i];
            }
            assertAtMost(total, maxPerDay, "spent in 24 hours");
        }
    }

    function test_AFullDayLaterAllOfItIsThereAgain(uint120 maxPerDay, uint32 more) public {
        vm.assume(maxPerDay != SpendingCap.UNLIMITED);
        vm.warp(1_700_000_000);
        assertTrue(bucket.consume(maxPerDay, maxPerDay / 2), "half of the cap at once");
        vm.warp(1_700_000_000 + 1 days + uint256(more));
        assertEq(bucket.available(maxPerDay), maxPerDay / 2, "what is available");
    }

    function test_WithoutACapNothingIsKept(uint256 amount) public {
        assertTrue(bucket.consume(SpendingCap.UNLIMITED, amount), "any amount");
        assertEq(bucket.level, 0, "the bucket");
        assertEq(bucket.available(SpendingCap.UNLIMITED), SpendingCap.UNLIMITED, "what is available");
    }
}

/// @dev A token whose largest allowance has no end. Its balances lie where a stand-in token has them.
contract EndlessToken {
    string public name;
    string public symbol;
    uint256 public totalSupply;
    mapping(address account => uint256) public balanceOf;
    mapping(address holder => mapping(address spender => uint256)) public allowance;

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        return true;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        if (allowance[from][msg.sender] < type(uint96).max) allowance[from][msg.sender] -= value;
        balanceOf[from] -= value;
        balanceOf[to] += value;
        return true;
    }
}
