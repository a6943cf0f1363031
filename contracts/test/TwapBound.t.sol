// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Call, PolicyConfig, PoolRule} from "../src/interfaces/IAgentVault.sol";
import {INonfungiblePositionManager, ISwapRouter02, IUniswapV3Pool} from "../src/interfaces/IUniswap.sol";
import {TickPrice} from "../src/libraries/TickPrice.sol";
import {TwapBound} from "../src/libraries/TwapBound.sol";
import {Assertions} from "./support/Vm.sol";
import {VaultFixture} from "./support/VaultFixture.sol";

/// @dev Trades against a price that somebody has pushed within the block, on a true pool.
contract TwapBoundTest is VaultFixture {
    uint32 private constant TWAP_SECONDS = 300;
    uint24 private constant DEVIATION = 50;
    uint256 private constant PUSH = 30_000 ether;

    uint256 private positionId;

    function setUp() public override {
        super.setUp();
        positionId = _openPosition();
        PolicyConfig memory policy = _policy();
        policy.pools[0] = PoolRule(address(pool), TWAP_SECONDS, DEVIATION);
        _setPolicy(policy);
        // The pool's first observation is old enough from here on.
        vm.warp(vm.getBlockTimestamp() + TWAP_SECONDS);
    }

    function test_ASwapNearTheAverageIsMade() public {
        _execute(_sell(address(usd), 1 ether, _bound(1 ether)));
        _execute(_sell(address(weth), 1 ether, _bound(1 ether)));
        assertEq(audit.totalSupply(), 3, "the records");
    }

    function test_ASwapMustAskForThePrice(uint256 amount, uint256 minimum) public {
        amount = within(amount, 1e6, FUNDS);
        uint256 bound = _bound(amount);
        minimum = within(minimum, 0, bound - 1);
        bytes memory reason = abi.encodeWithSelector(TwapBound.MinimumOutTooLow.selector, minimum, bound);
        _executeReverts(_sell(address(usd), amount, minimum), reason);
        _executeReverts(_sell(address(weth), amount, minimum), reason);
    }

    function test_APushedPriceDoesNotLowerTheBound() public {
        // A sandwich: dollars are made cheap in ether just before the vault sells them.
        _someoneSwaps(address(usd), address(weth), PUSH);
        uint256 amount = 10 ether;
        _executeReverts(
            _sell(address(usd), amount, 0),
            abi.encodeWithSelector(TwapBound.MinimumOutTooLow.selector, 0, _bound(amount))
        );
        // The honest minimum keeps the vault from the pushed price, by the router's own check.
        _executeReverts(
            _sell(address(usd), amount, _bound(amount)),
            abi.encodeWithSignature("Error(string)", "Too little received")
        );
    }

    function test_NoLiquidityMovesAtAPushedPrice() public {
        _someoneSwaps(address(usd), address(weth), PUSH);
        (, int24 tick,,,,,) = pool.slot0();
        bytes memory reason = abi.encodeWithSelector(TwapBound.SpotTooFar.selector, tick, int24(0), DEVIATION);
        _executeReverts(_mintCall(_mintParams(address(usd), address(vault), -600, 600, 1 ether)), reason);
        _executeReverts(_increase(1 ether), reason);
        _executeReverts(_decrease(), reason);
        _execute(_collect());
    }

    function test_LiquidityMovesNearTheAverage() public {
        _execute(_increase(1 ether));
        _execute(_decrease());
        _execute(_mintCall(_mintParams(address(usd), address(vault), -600, 600, 1 ether)));
    }

    function test_ThePushedPriceBecomesTheAverageInTime() public {
        _someoneSwaps(address(usd), address(weth), PUSH);
        (, int24 tick,,,,,) = pool.slot0();
        vm.warp(vm.getBlockTimestamp() + TWAP_SECONDS);
        assertEq(uint24(_twap()), uint24(tick), "the average after standing still");
        _execute(_increase(1 ether));
    }

    function test_TheAverageRoundsDown(bool up) public {
        _someoneSwaps(up ? pool.token1() : pool.token0(), up ? pool.token0() : pool.token1(), PUSH);
        (, int24 tick,,,,,) = pool.slot0();
        vm.warp(vm.getBlockTimestamp() + 1);
        // One second at `tick` and 299 at 0.
        int256 expected = tick / 300;
        if (tick < 0 && tick % 300 != 0) --expected;
        assertEq(uint256(int256(_twap())), uint256(expected), "the average");
    }

    function test_APoolWithTooShortAMemoryIsNotTradedIn() public {
        PolicyConfig memory policy = _policy();
        policy.pools[0] = PoolRule(address(pool), 30 days, DEVIATION);
        _setPolicy(policy);
        _executeReverts(
            _sell(address(usd), 1 ether, 1 ether), abi.encodeWithSignature("Error(string)", "OLD")
        );
    }

    function _twap() private view returns (int24) {
        return TwapBound.twapTick(IUniswapV3Pool(address(pool)), TWAP_SECONDS);
    }

    /// @dev At an average tick of zero both directions have the same bound, but for a unit of rounding.
    function _bound(uint256 amount) private pure returns (uint256) {
        return TickPrice.quoteAtTick(-int24(DEVIATION), amount, true);
    }

    function _sell(address token, uint256 amount, uint256 minimumOut) private view returns (Call[] memory) {
        address other = token == address(usd) ? address(weth) : address(usd);
        ISwapRouter02.ExactInputSingleParams memory params = _swapParams(token, other, address(vault), amount);
        params.amountOutMinimum = minimumOut;
        return _swapCall(params);
    }

    function _increase(uint256 amount) private view returns (Call[] memory) {
        INonfungiblePositionManager.IncreaseLiquidityParams memory params =
            INonfungiblePositionManager.IncreaseLiquidityParams(positionId, amount, amount, 0, 0, DEADLINE);
        return _one(address(manager), abi.encodeCall(INonfungiblePositionManager.increaseLiquidity, (params)));
    }

    function _decrease() private view returns (Call[] memory) {
        INonfungiblePositionManager.DecreaseLiquidityParams memory params =
            INonfungiblePositionManager.DecreaseLiquidityParams(positionId, 1000, 0, 0, DEADLINE);
        return _one(address(manager), abi.encodeCall(INonfungiblePositionManager.decreaseLiquidity, (params)));
    }

    function _collect() private view returns (Call[] memory) {
        INonfungiblePositionManager.CollectParams memory params =
            INonfungiblePositionManager.CollectParams(positionId, address(vault), 1 ether, 1 ether);
        return _one(address(manager), abi.encodeCall(INonfungiblePositionManager.collect, (params)));
    }
}

/// @dev Prices of ticks, held against the numbers Uniswap's own TickMath gives.
contract TickPriceTest is Assertions {
    function test_PricesAreUniswaps() public pure {
        assertEq(TickPrice.sqrtRatioAtTick(-887272), 4295128739, "the lowest");
        assertEq(
            TickPrice.sqrtRatioAtTick(887272),
            1461446703485210103287273052203988822378723970342,
            "the highest"
        );
        assertEq(TickPrice.sqrtRatioAtTick(0), 1 << 96, "one");
        assertEq(TickPrice.sqrtRatioAtTick(50), 79426470787362580746886972461, "50");
        assertEq(TickPrice.sqrtRatioAtTick(-50), 79030349367926598376800521322, "-50");
        assertEq(TickPrice.sqrtRatioAtTick(-1_000_000), 4295128739, "below the lowest");
        assertEq(
            TickPrice.sqrtRatioAtTick(type(int24).max),
            1461446703485210103287273052203988822378723970342,
            "above the highest"
        );
    }

    function test_PricesRiseWithTheTick(int24 tick) public pure {
        tick = int24(int256(within(uint24(tick), 0, 2 * 887272 - 1)) - 887272);
        assertTrue(TickPrice.sqrtRatioAtTick(tick) < TickPrice.sqrtRatioAtTick(tick + 1), "the next price");
    }

    function test_AQuoteThereAndBackLosesLittle(int24 tick, uint96 amount) public pure {
        tick = int24(int256(within(uint24(tick), 0, 400_000)) - 200_000);
        uint256 other = TickPrice.quoteAtTick(tick, amount, true);
        uint256 back = TickPrice.quoteAtTick(tick, other, false);
        assertAtMost(back, uint256(amount), "what comes back");
        // A unit of the other token is worth at most 1.0001**200000 = 4.9e8 of this one.
        assertAtMost(uint256(amount) - back, 5e8 + (uint256(amount) >> 64), "what is lost");
    }
}
