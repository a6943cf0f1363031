// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Call, PolicyConfig, PoolRule} from "../src/interfaces/IAgentVault.sol";
import {Decision} from "../src/interfaces/IDecisionAudit.sol";
import {INonfungiblePositionManager, ISwapRouter02} from "../src/interfaces/IUniswap.sol";
import {TickPrice} from "../src/libraries/TickPrice.sol";
import {VaultFixture} from "./support/VaultFixture.sol";

/// @dev Whoever holds the agent's key pushes the spot price as he likes, with money without end, and trades at it through
/// the vault. What comes of each trade is held against the average that the pool itself gives.
contract Pusher is VaultFixture {
    uint32 private constant TWAP_SECONDS = 300;
    uint24 private constant DEVIATION = 100;

    /// Trades that were made, and refused.
    uint256 public made;
    uint256 public refused;
    /// Trades that gave less than the average allows, or moved liquidity further from it.
    uint256 public below;
    uint256 public beyond;

    uint256 private positionId;

    function open() external {
        VaultFixture.setUp();
        PolicyConfig memory policy = _policy();
        policy.pools[0] = PoolRule(address(pool), TWAP_SECONDS, DEVIATION);
        (agentId, vault) = _createVault(policy);
        _give(address(usd), address(vault), 1_000_000 ether);
        _giveWeth(maker, 1_000_000 ether);
        vm.prank(maker);
        weth.transfer(address(vault), 1_000_000 ether);
        vm.warp(vm.getBlockTimestamp() + TWAP_SECONDS);
        positionId = _openPosition();
    }

    function push(uint256 amount, bool up) external {
        (address from, address to) = up ? (address(usd), address(weth)) : (address(weth), address(usd));
        (uint160 spot,,,,,,) = pool.slot0();
        if (spot == (from == pool.token0() ? LOWEST_PRICE + 1 : HIGHEST_PRICE - 1)) return; // nowhere left to push it to
        _someoneSwaps(from, to, within(amount, 1 gwei, 400_000 ether));
    }

    /// @dev Somebody brings the price back to where it was on average.
    function correct() external {
        int24 mean = _mean();
        (uint160 spot,,,,,,) = pool.slot0();
        uint160 target = TickPrice.sqrtRatioAtTick(mean);
        if (spot == target) return;
        address tokenIn = spot > target ? pool.token0() : pool.token1();
        ISwapRouter02.ExactInputSingleParams memory params = _swapParams(
            tokenIn, tokenIn == address(usd) ? address(weth) : address(usd), trader, 500_000 ether
        );
        params.sqrtPriceLimitX96 = target;
        if (tokenIn == address(weth)) _giveWeth(trader, 500_000 ether);
        else _give(tokenIn, trader, 500_000 ether);
        vm.prank(trader);
        (bool allowed,) =
            tokenIn.call(abi.encodeWithSignature("approve(address,uint256)", router, type(uint256).max));
        vm.prank(trader);
        try router.exactInputSingle(params) {} catch {}
        assertTrue(allowed, "an allowance");
    }

    /// @dev A minimum far below, right at, or just beside what the average asks for; by the pool or by the router.
    function sell(uint256 amount, bool dollars, uint256 minimum, bool byRouter) external {
        amount = within(amount, 1e6, 1_000 ether);
        address tokenIn = dollars ? address(usd) : address(weth);
        uint256 least = _least(tokenIn, amount);
        // Exactly what is asked for, a unit less, or anything below.
        if (minimum % 4 == 0) minimum = least;
        else if (minimum % 4 == 1) minimum = least - 1;
        else minimum = within(minimum, 0, least);
        ISwapRouter02.ExactInputSingleParams memory params =
            _swapParams(tokenIn, dollars ? address(weth) : address(usd), address(vault), amount);
        params.amountOutMinimum = minimum;
        Call[] memory calls =
            byRouter ? _swapCall(params) : _poolSwapCall(tokenIn, address(vault), amount, minimum);
        uint256 before = _other(tokenIn);
        if (_try(calls) && _other(tokenIn) - before < least) ++below;
    }

    function provide(uint256 amount, int24 lower) external {
        lower = int24(int256(within(uint24(lower), 0, 200)) - 100) * 10;
        amount = within(amount, 1 gwei, 1_000 ether);
        bool far = _isFar();
        Call[] memory calls = _mintCall(_mintParams(address(usd), address(vault), lower, lower + 500, amount));
        if (_try(calls) && far) ++beyond;
    }

    function take(uint128 liquidity) external {
        liquidity = uint128(within(liquidity, 1, 1 ether));
        bool far = _isFar();
        bytes memory data = abi.encodeCall(
            INonfungiblePositionManager.decreaseLiquidity,
            (INonfungiblePositionManager.DecreaseLiquidityParams(positionId, liquidity, 0, 0, DEADLINE))
        );
        if (_try(_one(address(manager), data)) && far) ++beyond;
    }

    function wait(uint32 time) external {
        vm.warp(vm.getBlockTimestamp() + within(time, 1, 600));
        vm.roll(vm.getBlockNumber() + 1);
        vm.setBlockhash(vm.getBlockNumber() - 1, keccak256("the block decided upon"));
    }

    function _try(Call[] memory calls) private returns (bool ok) {
        Decision memory decision = _decide(calls);
        vm.prank(agentKey);
        try vault.execute(_nothing(), decision, PAYLOAD, calls) {
            ++made;
            return true;
        } catch {
            ++refused;
        }
    }

    function _isFar() private view returns (bool) {
        (, int24 tick,,,,,) = pool.slot0();
        int256 distance = int256(tick) - _mean();
        return distance > int256(uint256(DEVIATION)) || distance < -int256(uint256(DEVIATION));
    }

    function _least(address tokenIn, uint256 amount) private view returns (uint256) {
        bool zeroForOne = tokenIn == pool.token0();
        int24 mean = _mean();
        return TickPrice.quoteAtTick(
            zeroForOne ? mean - int24(DEVIATION) : mean + int24(DEVIATION), amount, zeroForOne
        );
    }

    function _other(address tokenIn) private view returns (uint256) {
        return tokenIn == address(usd) ? weth.balanceOf(address(vault)) : usd.balanceOf(address(vault));
    }

    /// @dev By the pool's own arithmetic, not by the vault's.
    function _mean() private view returns (int24) {
        uint32[] memory asked = new uint32[](2);
        asked[0] = TWAP_SECONDS;
        (int56[] memory sums,) = pool.observe(asked);
        int56 change = sums[1] - sums[0];
        int56 mean = change / int56(uint56(TWAP_SECONDS));
        if (change < 0 && change % int56(uint56(TWAP_SECONDS)) != 0) --mean;
        return int24(mean);
    }
}

contract InvariantsOfPricesTest {
    Pusher private pusher;

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function setUp() public {
        pusher = new Pusher();
        pusher.open();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(pusher);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0].addr = address(pusher);
        targets[0].selectors = new bytes4[](6);
        targets[0].selectors[0] = Pusher.push.selector;
        targets[0].selectors[1] = Pusher.correct.selector;
        targets[0].selectors[2] = Pusher.sell.selector;
        targets[0].selectors[3] = Pusher.provide.selector;
        targets[0].selectors[4] = Pusher.take.selector;
        targets[0].selectors[5] = Pusher.wait.selector;
    }

    /// @dev Without this the invariant could hold because nothing ever happened.
    function test_ThePusherTradesAtHonestPricesOnly() public {
        pusher.sell(10 ether, true, 0, false);
        pusher.sell(10 ether, false, 0, true);
        pusher.provide(10 ether, 0);
        pusher.take(1_000);
        require(pusher.made() == 4 && pusher.refused() == 0, "near the average");
        pusher.push(300_000 ether, true);
        pusher.sell(10 ether, true, 0, false);
        pusher.sell(10 ether, true, 1, true);
        pusher.provide(10 ether, 0);
        pusher.take(1_000);
        require(pusher.made() == 4 && pusher.refused() == 4, "far from it");
        pusher.correct();
        pusher.provide(10 ether, 0);
        require(pusher.made() == 5, "near it again");
    }

    /// @dev The bound by the average price holds whatever was done to the spot price.
    function invariant_TheAverageBoundsEveryTrade() public view {
        require(pusher.below() == 0, "a swap gave less than the average allows");
        require(pusher.beyond() == 0, "liquidity moved far from the average");
    }
}
