// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PoolLens, PoolQuery} from "../src/PoolLens.sol";
import {INonfungiblePositionManager} from "../src/interfaces/IUniswap.sol";
import {UniswapMarket} from "./support/UniswapMarket.sol";

/// @dev What the lens reads is what Uniswap's own contracts say, one question at a time.
contract PoolLensTest is UniswapMarket {
    uint256 private constant STATE = 12;
    uint256 private constant TICK = 9;
    uint256 private constant POSITION = 12;

    address private immutable nobody = address(0x0B0D1);
    PoolLens private lens;

    function setUp() public {
        _openMarket();
        lens = PoolLens(_deployOurs("PoolLens", ""));
        _someoneSwaps(address(usd), address(weth), 100 ether);
    }

    function test_APoolsState() public view {
        uint256[] memory words = _read(PoolQuery(address(pool), 0, -1, false));
        assertEq(words.length, STATE, "the words");
        assertEq(words[0], 1, "it answers");
        (
            uint160 price,
            int24 tick,
            uint16 index,
            uint16 cardinality,
            uint16 next,
            uint8 share,
            bool unlocked
        ) = pool.slot0();
        assertEq(words[1], price, "the price");
        assertTrue(int256(words[2]) == tick, "the tick");
        assertEq(words[3], index, "the observation's index");
        assertEq(words[4], cardinality, "the cardinality");
        assertEq(words[5], next, "the next cardinality");
        assertEq(words[6], share, "the protocol's share");
        assertEq(words[7], unlocked ? 1 : 0, "whether it is unlocked");
        assertEq(words[8], pool.liquidity(), "the liquidity");
        assertEq(words[9], pool.feeGrowthGlobal0X128(), "the growth of fees in token0");
        assertEq(words[10], pool.feeGrowthGlobal1X128(), "the growth of fees in token1");
        assertEq(words[11], 0, "the ticks");
        assertTrue(words[9] + words[10] != 0, "fees were paid");
    }

    function test_WhatIsNoPoolSaysSo() public view {
        PoolQuery[] memory pools = new PoolQuery[](3);
        pools[0] = PoolQuery(nobody, -1, 1, true);
        pools[1] = PoolQuery(address(usd), -1, 1, true);
        pools[2] = PoolQuery(address(pool), 0, -1, false);
        uint256[] memory words = _read(pools);
        assertEq(words.length, 2 + STATE, "the words");
        assertEq(words[0], 0, "an account without code");
        assertEq(words[1], 0, "a token");
        assertEq(words[2], 1, "a pool behind them");
    }

    function test_EveryTick() public view {
        uint256[] memory words = _read(PoolQuery(address(pool), type(int16).min, type(int16).max, false));
        assertEq(words[11], 2, "the ticks");
        assertEq(words.length, STATE + 2 * TICK, "the words");
        _isTick(words, STATE, -6_000);
        _isTick(words, STATE + TICK, 6_000);
    }

    /// @dev Words -3 and 2 have the ticks -6000 and 6000 (spacing 10): -600 and 600 are 168 and 88 bits into them.
    function test_TicksOfSomeWords() public view {
        assertEq(_read(PoolQuery(address(pool), -2, 1, false))[11], 0, "between the ticks");
        uint256[] memory words = _read(PoolQuery(address(pool), -3, 1, false));
        assertEq(words[11], 1, "with the lower one");
        _isTick(words, STATE, -6_000);
        words = _read(PoolQuery(address(pool), 2, 2, false));
        assertEq(words[11], 1, "with the upper one");
        _isTick(words, STATE, 6_000);
    }

    function test_TicksAroundThePrice() public {
        (, int24 tick,,,,,) = pool.slot0();
        int256 middle = _floor(tick, 10) >> 8;
        for (int16 reach = 0; reach < 5; ++reach) {
            uint256 found = _read(PoolQuery(address(pool), -reach, reach, true))[11];
            uint256 lower = middle - reach <= -3 && middle + reach >= -3 ? 1 : 0;
            uint256 upper = middle - reach <= 2 && middle + reach >= 2 ? 1 : 0;
            assertEq(found, lower + upper, "the ticks");
        }
        // Past the price of the last tick, where a word is counted from below zero.
        _someoneSwaps(address(usd), address(weth), 900_000 ether);
        _someoneSwaps(address(weth), address(usd), 1_500_000 ether);
        (, tick,,,,,) = pool.slot0();
        assertTrue(_read(PoolQuery(address(pool), -200, 200, true))[11] == 2, "all of them");
    }

    function testFuzz_WordsAreClampedAndNeverFail(int16 first, int16 last, bool around) public view {
        uint256[] memory words = _read(PoolQuery(address(pool), first, last, around));
        assertEq(words[0], 1, "it answers");
        assertEq(words.length, STATE + TICK * words[11], "the words");
        if (!around) {
            uint256 expected = (first <= -3 && last >= -3 ? 1 : 0) + (first <= 2 && last >= 2 ? 1 : 0);
            assertEq(words[11], expected, "the ticks");
        }
    }

    function test_WhatAccountsHold() public {
        vm.deal(trader, 7 ether);
        _mintFor(trader, -600, 600, 1 ether);
        _mintFor(trader, -1_200, 600, 2 ether);
        address[] memory tokens = new address[](3);
        (tokens[0], tokens[1], tokens[2]) = (address(usd), nobody, address(weth));
        address[] memory accounts = new address[](2);
        (accounts[0], accounts[1]) = (trader, nobody);
        uint256[] memory words =
            lens.read(new PoolQuery[](0), tokens, accounts, address(manager), new uint256[](0));
        assertEq(words.length, 5 + 2 * (1 + POSITION) + 5, "the words");
        assertEq(words[0], 7 ether, "ether");
        assertEq(words[1], usd.balanceOf(trader), "dollars");
        assertEq(words[2], type(uint256).max, "of a token that is none");
        assertEq(words[3], weth.balanceOf(trader), "wrapped ether");
        assertEq(words[4], 2, "positions");
        _isPosition(words, 5, 2);
        _isPosition(words, 6 + POSITION, 3);
        uint256 second = 5 + 2 * (1 + POSITION);
        assertEq(words[second], 0, "nobody's ether");
        assertEq(words[second + 1], 0, "nobody's dollars");
        assertEq(words[second + 4], 0, "nobody's positions");
    }

    function test_PositionsByTheirNumbers() public view {
        uint256[] memory ids = new uint256[](3);
        (ids[0], ids[1], ids[2]) = (1, 99, 1);
        uint256[] memory words =
            lens.read(new PoolQuery[](0), new address[](0), new address[](0), address(manager), ids);
        assertEq(words.length, 3 + 2 * POSITION, "the words");
        _samePosition(words, 1, 1);
        assertEq(words[1 + POSITION], 0, "one that is not there");
        _samePosition(words, 3 + POSITION, 1);
    }

    function test_NobodyManagesPositions() public view {
        address[] memory accounts = new address[](1);
        accounts[0] = maker;
        uint256[] memory words =
            lens.read(new PoolQuery[](0), new address[](0), accounts, address(0), new uint256[](1));
        assertEq(words.length, 3, "the words");
        assertEq(words[1], 0, "positions of an account");
        assertEq(words[2], 0, "a position");
    }

    function _read(PoolQuery memory query) private view returns (uint256[] memory) {
        PoolQuery[] memory pools = new PoolQuery[](1);
        pools[0] = query;
        return _read(pools);
    }

    function _read(PoolQuery[] memory pools) private view returns (uint256[] memory) {
        return lens.read(pools, new address[](0), new address[](0), address(0), new uint256[](0));
    }

    function _mintFor(address recipient, int24 lower, int24 upper, uint256 amount) private {
        _giveWeth(maker, amount);
        _give(address(usd), maker, amount);
        INonfungiblePositionManager.MintParams memory params =
            _mintParams(address(usd), recipient, lower, upper, amount);
        vm.prank(maker);
        manager.mint(params);
    }

    function _isTick(uint256[] memory words, uint256 at, int24 tick) private view {
        (
            uint128 gross,
            int128 net,
            uint256 fees0,
            uint256 fees1,
            int56 time,
            uint160 shares,
            uint32 seconds_,
        ) = pool.ticks(tick);
        assertTrue(int256(words[at]) == tick, "the tick");
        assertEq(words[at + 1], gross, "its gross liquidity");
        assertTrue(int256(words[at + 2]) == net, "its net liquidity");
        assertEq(words[at + 3], fees0, "fees in token0 outside");
        assertEq(words[at + 4], fees1, "fees in token1 outside");
        assertTrue(int256(words[at + 5]) == time, "tick times seconds outside");
        assertEq(words[at + 6], shares, "seconds per liquidity outside");
        assertEq(words[at + 7], seconds_, "seconds outside");
        assertEq(words[at + 8], 1, "it is initialised");
    }

    function _isPosition(uint256[] memory words, uint256 at, uint256 id) private view {
        assertEq(words[at], id, "the position");
        _samePosition(words, at + 1, id);
    }

    function _samePosition(uint256[] memory words, uint256 at, uint256 id) private view {
        (bool ok, bytes memory said) =
            address(manager).staticcall(abi.encodeWithSignature("positions(uint256)", id));
        assertTrue(ok, "the manager knows it");
        for (uint256 i = 0; i < POSITION; ++i) {
            uint256 word;
            assembly ("memory-safe") {
                word := mload(add(add(said, 32), mul(i, 32)))
            }
            assertEq(words[at + i], word, "a word of the position");
        }
    }

    function _floor(int24 tick, int24 spacing) private pure returns (int256) {
        return tick < 0 && tick % spacing != 0 ? int256(tick / spacing) - 1 : int256(tick / spacing);
    }
}
