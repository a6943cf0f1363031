// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {Call, PolicyConfig, PoolRule} from "../src/interfaces/IAgentVault.sol";
import {INonfungiblePositionManager, ISwapRouter02, IUniswapV3Pool} from "../src/interfaces/IUniswap.sol";
import {TickPrice} from "../src/libraries/TickPrice.sol";
import {TwapBound} from "../src/libraries/TwapBound.sol";
import {IPoolSetup} from "./support/UniswapMarket.sol";
import {VaultFixture} from "./support/VaultFixture.sol";

/// @dev Pools whose memory is short, young or just full: the average is what the pool itself says, or there is none.
contract OraclesTest is VaultFixture {
    uint32 private constant TWAP_SECONDS = 300;
    uint24 private constant DEVIATION = 100;
    uint24 private constant OTHER_FEE = 3_000;

    IPoolSetup private young;

    function setUp() public override {
        super.setUp();
        // A pool that is opened now, and remembers one price.
        young = IPoolSetup(uniswap.createPool(address(usd), address(weth), OTHER_FEE));
        young.initialize(PRICE_ONE);
        _liquid();
        PolicyConfig memory policy = _policy();
        policy.pools[0] = PoolRule(address(young), TWAP_SECONDS, DEVIATION);
        (agentId, vault) = _createVault(policy);
        _fund(vault);
    }

    function test_APoolYoungerThanTheAverageIsNotTradedIn(uint256 age) public {
        vm.warp(vm.getBlockTimestamp() + within(age, 0, TWAP_SECONDS - 1));
        _executeReverts(_sell(0.99 ether), abi.encodeWithSignature("Error(string)", "OLD"));
    }

    function test_APoolAsOldAsTheAverageIsTradedIn() public {
        vm.warp(vm.getBlockTimestamp() + TWAP_SECONDS);
        _execute(_sell(_least()));
    }

    function test_APushOfAPoolWithOneObservation() public {
        // The push itself overwrites the only observation there is: nothing is known of the minutes before.
        vm.warp(vm.getBlockTimestamp() + TWAP_SECONDS);
        _push(50_000 ether);
        _executeReverts(_sell(0), abi.encodeWithSignature("Error(string)", "OLD"));
        // Nor can it be waited out unseen: the average is the pushed price only when that has stood for all its time.
        vm.warp(vm.getBlockTimestamp() + TWAP_SECONDS - 1);
        _executeReverts(_sell(0), abi.encodeWithSignature("Error(string)", "OLD"));
        vm.warp(vm.getBlockTimestamp() + 1);
        (, int24 tick,,,,,) = young.slot0();
        assertTrue(TwapBound.twapTick(young, TWAP_SECONDS) == tick, "it has stood for five minutes");
    }

    function test_APushHeldOverABlockMovesTheAverageByItsShare() public {
        young.increaseObservationCardinalityNext(60);
        vm.warp(vm.getBlockTimestamp() + TWAP_SECONDS);
        _push(50_000 ether);
        assertTrue(TwapBound.twapTick(young, TWAP_SECONDS) == 0, "in the block of the push");
        vm.warp(vm.getBlockTimestamp() + 12);
        (, int24 tick,,,,,) = young.slot0();
        int256 share = int256(tick) * 12 / 300;
        if (tick < 0 && int256(tick) * 12 % 300 != 0) --share;
        assertTrue(TwapBound.twapTick(young, TWAP_SECONDS) == share, "a block later: 12 of 300 seconds");
    }

    /// @dev Any history, any size of the ring, wherever in it the moment lies: ours is `observe`'s, to the tick.
    function test_TheAverageIsObserves(
        uint8 cardinality,
        uint16 secondsAgo,
        uint32[40] calldata waits,
        uint64[40] calldata amounts
    ) public {
        if (cardinality > 1) {
            young.increaseObservationCardinalityNext(uint16(within(cardinality, 2, 30)));
        }
        uint256 opened = vm.getBlockTimestamp();
        for (uint256 i = 0; i < waits.length; ++i) {
            // Several swaps in a second now and then, and long silences.
            uint256 wait = waits[i] % 5 == 0 ? 0 : waits[i] % 5 == 1 ? waits[i] % 500 : waits[i] % 20;
            vm.warp(vm.getBlockTimestamp() + wait);
            _push(uint256(amounts[i]) % 400 ether + 1 ether);
        }
        vm.warp(vm.getBlockTimestamp() + waits[0] % 30);
        uint256 age = vm.getBlockTimestamp() - opened;
        uint32 ago = uint32(within(secondsAgo, 1, age + 10));
        uint32[] memory asked = new uint32[](2);
        asked[0] = ago;
        try young.observe(asked) returns (int56[] memory sums, uint160[] memory) {
            int256 change = sums[1] - sums[0];
            int256 mean = change / int256(uint256(ago));
            if (change < 0 && change % int256(uint256(ago)) != 0) --mean;
            assertTrue(TwapBound.twapTick(young, ago) == mean, "the average");
        } catch {
            (bool answered,) = address(this).staticcall(abi.encodeCall(this.ask, (ago)));
            assertTrue(!answered, "no average where the pool has none");
        }
    }

    function ask(uint32 secondsAgo) external view returns (int24) {
        return TwapBound.twapTick(young, secondsAgo);
    }

    function _least() private pure returns (uint256) {
        return TickPrice.quoteAtTick(-int24(DEVIATION), 1 ether, true);
    }

    function _sell(uint256 minimumOut) private view returns (Call[] memory) {
        return _one(
            address(young),
            _poolSwap(IUniswapV3Pool(young), address(usd), address(vault), 1 ether, minimumOut)
        );
    }

    /// @dev Dollars for ether and back in turns, so that the price wanders.
    function _push(uint256 amount) private {
        bool up = amount % 2 == 0;
        address tokenIn = up ? address(usd) : address(weth);
        if (up) _give(tokenIn, trader, amount);
        else _giveWeth(trader, amount);
        vm.prank(trader);
        IERC20(tokenIn).approve(address(router), type(uint256).max);
        ISwapRouter02.ExactInputSingleParams memory params =
            _swapParams(tokenIn, up ? address(weth) : address(usd), trader, amount);
        params.fee = OTHER_FEE;
        vm.prank(trader);
        router.exactInputSingle(params);
    }

    function _liquid() private {
        _give(address(usd), maker, 100_000 ether);
        _giveWeth(maker, 100_000 ether);
        INonfungiblePositionManager.MintParams memory params =
            _mintParams(address(usd), maker, -12_000, 12_000, 100_000 ether);
        params.fee = OTHER_FEE;
        vm.prank(maker);
        manager.mint(params);
    }
}
