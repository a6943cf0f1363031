// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

import {BreakerRule, Call, PolicyConfig, PoolRule, TokenRule} from "../src/interfaces/IAgentVault.sol";
import {Decision} from "../src/interfaces/IDecisionAudit.sol";
import {ICircuitBreaker} from "../src/interfaces/ICircuitBreaker.sol";
import {INonfungiblePositionManager} from "../src/interfaces/IUniswap.sol";
import {VaultFixture} from "./support/VaultFixture.sol";

/// @dev A vault of a thousand dollars and a thousand ether at a price of one, which stops after a fall of a fifth.
contract CircuitBreakerTest is VaultFixture {
    uint16 private constant DRAWDOWN_BPS = 2_000;
    uint256 private constant WORTH = 2 * FUNDS;

    ICircuitBreaker private breaker;

    function setUp() public override {
        super.setUp();
        breaker = factory.breaker();
        _setPolicy(_broken());
        vm.warp(vm.getBlockTimestamp() + 300);
    }

    // What a vault is worth

    function test_TokensCountAtTheirAveragePrice() public view {
        assertEq(breaker.worth(address(vault)), WORTH, "worth at a price of one");
    }

    function test_APushedPriceMovesNoWorth(bool up) public {
        _someoneSwaps(up ? address(usd) : address(weth), up ? address(weth) : address(usd), 200_000 ether);
        assertEq(breaker.worth(address(vault)), WORTH, "worth in the block of the push");
    }

    function test_APositionOfItsOwnCounts(uint256 amount, bool aside) public {
        amount = within(amount, 1 ether, 900 ether);
        (int24 lower, int24 upper) = aside ? (int24(600), int24(1_200)) : (int24(-600), int24(600));
        _execute(_mintCall(_mintParams(address(usd), address(vault), lower, upper, amount)));
        // Rounded down: a few units for each token, never up.
        assertAtMost(breaker.worth(address(vault)), WORTH, "worth with the position");
        assertAtMost(WORTH - breaker.worth(address(vault)), 4, "what rounding took");
    }

    function test_AClosedPositionCountsNoMore() public {
        uint256 positionId = _openPosition();
        _close(positionId);
        assertAtMost(WORTH - breaker.worth(address(vault)), 4, "what rounding took");
        positionId = _openPosition();
        vm.prank(owner);
        vault.withdrawPosition(address(manager), positionId, owner);
        assertAtMost(breaker.worth(address(vault)), WORTH - 199 ether, "worth without what was taken");
    }

    function test_StrangersPositionsCountNothing() public {
        _sendPositions(3, 100 ether);
        assertEq(breaker.worth(address(vault)), WORTH, "worth with three gifts");
        // What the vault adds to one of them makes it its own.
        uint256 gift = manager.tokenOfOwnerByIndex(address(vault), 0);
        _execute(
            _one(
                address(manager),
                abi.encodeCall(
                    INonfungiblePositionManager.increaseLiquidity,
                    (INonfungiblePositionManager.IncreaseLiquidityParams(
                            gift, 10 ether, 10 ether, 0, 0, DEADLINE
                        ))
                )
            )
        );
        assertTrue(breaker.worth(address(vault)) > WORTH + 198 ether, "worth with the one it added to");
    }

    function test_FloodingStopsNobody() public {
        // Whatever a stranger sends, before and after: the vault's own position counts, and marking costs the same.
        _mark();
        vm.prank(thief);
        vault.mark();
        uint256 bare = vm.lastCallGas().gasTotalUsed;
        _sendPositions(20, 1 gwei);
        _execute(_mintCall(_mintParams(address(usd), address(vault), -600, 600, 900 ether)));
        _sendPositions(20, 1 gwei);
        vm.prank(thief);
        vault.mark();
        uint256 gas_ = vm.lastCallGas().gasTotalUsed;
        assertTrue(!vault.paused(), "the vault trades on");
        assertAtMost(gas_, bare + 60_000, "gas of marking, the one position included");
    }

    function test_SixteenPositionsAtATime() public {
        uint256 first = _small(1);
        for (uint256 i = 2; i <= 16; ++i) {
            _small(i);
        }
        Call[] memory another = _mintCall(_mintParams(address(usd), address(vault), -170, 170, 1 ether));
        _executeReverts(another, abi.encodeWithSelector(ICircuitBreaker.TooManyPositions.selector, 16));
        _close(first);
        _execute(another);
        assertAtMost(WORTH - breaker.worth(address(vault)), 64, "what rounding took");
    }

    // When it has fallen

    function test_AFallUpToTheLimitIsBorne(uint256 lost) public {
        lost = within(lost, 0, WORTH * DRAWDOWN_BPS / 10_000);
        _mark();
        _lose(lost);
        (uint256 equity, uint256 peak) = vault.mark();
        assertEq(equity, WORTH - lost, "worth");
        assertEq(peak, WORTH, "the highest");
        assertTrue(!vault.paused(), "it trades on");
    }

    function test_AFallBeyondItIsNot(uint256 lost) public {
        lost = within(lost, WORTH * DRAWDOWN_BPS / 10_000 + 1, FUNDS);
        _mark();
        _lose(lost);
        vm.prank(thief);
        vault.mark();
        assertTrue(vault.paused(), "it is paused");
    }

    function test_TheHighestWorthStays() public {
        _mark();
        _give(address(usd), address(vault), 500 ether);
        _mark();
        _lose(500 ether);
        (, uint256 peak) = vault.mark();
        assertEq(peak, WORTH + 500 ether, "the highest");
        assertTrue(!vault.paused(), "a fall of a fifth is borne");
        _lose(1);
        vault.mark();
        assertTrue(vault.paused(), "a unit more is not");
    }

    function test_TheOwnerStartsItAnew() public {
        _mark();
        _lose(WORTH / 2);
        vault.mark();
        vm.prank(owner);
        vault.unpause();
        (, uint256 peak) = vault.mark();
        assertEq(peak, WORTH / 2, "the highest since he resumed");
        vm.prank(owner);
        vault.withdrawToken(address(weth), owner, FUNDS / 2);
        (, peak) = vault.mark();
        assertEq(peak, WORTH / 4, "the highest since he took money out");
        assertTrue(!vault.paused(), "money the owner takes is not lost");
    }

    function test_ATighterPolicyKeepsTheHighest() public {
        _mark();
        _lose(100 ether);
        PolicyConfig memory policy = _broken();
        policy.breaker.maxDrawdownBps = 400;
        _setPolicy(policy);
        vault.mark();
        assertTrue(vault.paused(), "five hundredths have been lost");
    }

    // Rules

    function test_ARuleThatCantBeKeptIsRefused() public {
        PolicyConfig memory policy = _broken();
        policy.breaker.maxDrawdownBps = 10_000;
        _refused(policy, abi.encodeWithSelector(ICircuitBreaker.DrawdownOutOfRange.selector, uint16(10_000)));
        policy = _broken();
        policy.pools[0].twapSeconds = 0;
        _refused(policy, abi.encodeWithSelector(ICircuitBreaker.PoolWithoutAverage.selector, address(pool)));
        policy = _broken();
        policy.breaker.numeraire = maker;
        _refused(
            policy, abi.encodeWithSelector(ICircuitBreaker.TokenWithoutPrice.selector, policy.tokens[0].token)
        );
        policy = _broken();
        TokenRule[] memory more = new TokenRule[](3);
        (more[0], more[1]) = (policy.tokens[0], policy.tokens[1]);
        more[2] = TokenRule(maker, NO_CAP, NO_CAP, NO_CAP);
        policy.tokens = more;
        _refused(policy, abi.encodeWithSelector(ICircuitBreaker.TokenWithoutPrice.selector, maker));
    }

    function test_NobodySpeaksForAVault() public {
        _mark();
        PolicyConfig memory none = _policy();
        uint256 positionId = _openPosition();
        vm.prank(thief);
        assertTrue(!breaker.follow(none), "the thief has no breaker");
        vm.prank(thief);
        breaker.watchPosition(address(manager), positionId);
        vm.prank(thief);
        assertTrue(!breaker.forgetPeak(), "nor a highest worth");
        vm.prank(thief);
        vm.expectRevert(abi.encodeWithSelector(ICircuitBreaker.NoBreaker.selector, thief));
        breaker.mark();
        (BreakerRule memory rule, uint256 peak) = breaker.stateOf(address(vault));
        assertEq(rule.maxDrawdownBps, DRAWDOWN_BPS, "the vault's rule");
        assertEq(peak, WORTH, "the vault's highest worth");
        assertEq(breaker.worth(thief), 0, "what the thief is worth");
    }

    function test_ItIsDueOnceInAnHour() public {
        _execute(_poolSwapCall(address(weth), address(vault), 1 ether, 0.981 ether));
        uint256 due = vault.markDue();
        assertEq(due, vm.getBlockTimestamp() + 3_600, "the next valuation");
        _lose(WORTH / 2);
        vm.warp(due - 1);
        _execute(_poolSwapCall(address(weth), address(vault), 1 ether, 0.981 ether));
        vm.warp(due);
        Call[] memory calls = _poolSwapCall(address(weth), address(vault), 1 ether, 0.981 ether);
        Decision memory decision = _decide(calls);
        vm.prank(agentKey);
        vm.expectPartialRevert(bytes4(keccak256("DrawdownExceeded(uint256,uint256)")));
        vault.execute(_nothing(), decision, PAYLOAD, calls);
    }

    function _broken() private view returns (PolicyConfig memory policy) {
        policy = _policy();
        policy.pools[0] = PoolRule(address(pool), 300, 200);
        policy.breaker = BreakerRule(address(usd), DRAWDOWN_BPS, 3_600);
    }

    function _refused(PolicyConfig memory policy, bytes memory reason) private {
        vm.expectRevert(reason);
        factory.createVault(owner, agentKey, policy);
    }

    function _mark() private {
        vm.prank(thief);
        vault.mark();
    }

    /// @dev However it came about.
    function _lose(uint256 amount) private {
        uint256 dollars = amount < usd.balanceOf(address(vault)) ? amount : usd.balanceOf(address(vault));
        vm.prank(address(vault));
        usd.transfer(address(0xDEAD), dollars);
        vm.prank(address(vault));
        weth.transfer(address(0xDEAD), amount - dollars);
    }

    function _small(uint256 size) private returns (uint256 positionId) {
        int24 half = int24(int256(size)) * 10;
        (, bytes[] memory results) =
            _execute(_mintCall(_mintParams(address(usd), address(vault), -half, half, 1 ether)));
        (positionId,,,) = abi.decode(results[0], (uint256, uint128, uint256, uint256));
    }

    function _close(uint256 positionId) private {
        (,,,,,,, uint128 liquidity,,,,) = manager.positions(positionId);
        Call[] memory calls = new Call[](3);
        for (uint256 i = 0; i < 3; ++i) {
            calls[i].target = address(manager);
        }
        calls[0].data = abi.encodeCall(
            INonfungiblePositionManager.decreaseLiquidity,
            (INonfungiblePositionManager.DecreaseLiquidityParams(positionId, liquidity, 0, 0, DEADLINE))
        );
        calls[1].data = abi.encodeCall(
            INonfungiblePositionManager.collect,
            (INonfungiblePositionManager.CollectParams(
                    positionId, address(vault), type(uint128).max, type(uint128).max
                ))
        );
        calls[2].data = abi.encodeCall(INonfungiblePositionManager.burn, (positionId));
        _execute(calls);
        vm.expectRevert("ERC721: owner query for nonexistent token");
        IERC721(address(manager)).ownerOf(positionId);
    }

    function _sendPositions(uint256 count, uint256 amount) private {
        for (uint256 i = 0; i < count; ++i) {
            _give(address(usd), maker, amount);
            _giveWeth(maker, amount);
            vm.prank(maker);
            manager.mint(_mintParams(address(usd), address(vault), -600, 600, amount));
        }
    }
}
