// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {INonfungiblePositionManager, IUniswapV3Pool} from "./interfaces/IUniswap.sol";

/// @notice A pool, and which words of its tick bitmap are read: none where the first lies behind the last.
struct PoolQuery {
    address pool;
    int16 firstWord;
    int16 lastWord;
    /// Whether the words are counted from the one with the price.
    bool aroundPrice;
}

/// @title Everything a reader wants of a block, in one call
/// @notice Never deployed: its code goes along with an eth_call, as the code of an address that has none (a state
/// override), or as creation code (see {PoolLensCall}).
/// @dev The answer is a row of words, in the order of the query. What does not answer as it should is said to be so;
/// nothing reverts because of it.
///   for each pool:    1, slot0 (7), liquidity, feeGrowthGlobal0X128, feeGrowthGlobal1X128,
///                     number of ticks, for each: tick, ticks(tick) (8); or 0 alone
///   for each account: ether, for each token: balance, or all ones
///                     number of positions, for each: id, positions(id) (12); none without a position manager
///   for each id:      1, positions(id) (12); or 0 alone
contract PoolLens {
    int24 private constant MAX_TICK = 887_272;
    uint256 private constant TICK_SIZE = 9 * 32;
    uint256 private constant POSITION_SIZE = 12 * 32;

    /// @notice Read pools, accounts and positions.
    /// @param pools The pools.
    /// @param tokens Whose balances are read of each account.
    /// @param accounts The accounts.
    /// @param manager Uniswap's position manager; zero where no positions are read.
    /// @param positionIds Positions that are read whoever holds them.
    function read(
        PoolQuery[] calldata pools,
        address[] calldata tokens,
        address[] calldata accounts,
        address manager,
        uint256[] calldata positionIds
    ) external view returns (uint256[] memory) {
        uint256 start;
        assembly ("memory-safe") {
            // All that may be written from here on is the answer's; memory costs only as far as it is touched.
            start := mload(0x40)
            mstore(0x40, add(start, shl(32, 1)))
        }
        uint256 at = start + 64;
        for (uint256 i = 0; i < pools.length; ++i) {
            at = _readPool(at, pools[i]);
        }
        for (uint256 i = 0; i < accounts.length; ++i) {
            at = _readAccount(at, accounts[i], tokens, manager);
        }
        for (uint256 i = 0; i < positionIds.length; ++i) {
            bool there = _askPosition(at + 32, manager, positionIds[i]);
            at = _put(at, there ? 1 : 0) + (there ? POSITION_SIZE : 0);
        }
        assembly ("memory-safe") {
            mstore(start, 32)
            mstore(add(start, 32), shr(5, sub(at, add(start, 64))))
            return(start, sub(at, start))
        }
    }

    function _readPool(uint256 at, PoolQuery calldata query) private view returns (uint256) {
        address pool = query.pool;
        bool there = _ask(at + 32, pool, IUniswapV3Pool.slot0.selector, 0, 7)
            && _ask(at + 256, pool, IUniswapV3Pool.liquidity.selector, 0, 1)
            && _ask(at + 288, pool, IUniswapV3Pool.feeGrowthGlobal0X128.selector, 0, 1)
            && _ask(at + 320, pool, IUniswapV3Pool.feeGrowthGlobal1X128.selector, 0, 1);
        uint256 counted = at + 352;
        uint256 end = counted + 32;
        if (there && query.firstWord <= query.lastWord) {
            // Its place is needed for a moment only: the number of ticks comes there.
            there = _ask(counted, pool, IUniswapV3Pool.tickSpacing.selector, 0, 1) && _word(counted) != 0;
            if (there) (there, end) = _readTicks(end, query, int24(int256(_word(counted))), _word(at + 64));
        }
        if (!there) return _put(at, 0);
        _put(at, 1);
        _put(counted, (end - counted - 32) / TICK_SIZE);
        return end;
    }

    /// @dev The words asked for, as far as there can be ticks in them.
    function _words(PoolQuery calldata query, int24 tick, int24 spacing)
        private
        pure
        returns (int256 first, int256 last)
    {
        (first, last) = (query.firstWord, query.lastWord);
        if (query.aroundPrice) {
            int256 middle = _floorDivide(tick, spacing) >> 8;
            (first, last) = (first + middle, last + middle);
        }
        int256 lowest = _floorDivide(-MAX_TICK, spacing) >> 8;
        int256 highest = int256(MAX_TICK / spacing) >> 8;
        if (first < lowest) first = lowest;
        if (last > highest) last = highest;
    }

    function _readTicks(uint256 at, PoolQuery calldata query, int24 spacing, uint256 tick)
        private
        view
        returns (bool, uint256)
    {
        (int256 first, int256 last) = _words(query, int24(int256(tick)), spacing);
        for (int256 word = first; word <= last; ++word) {
            if (!_ask(at, query.pool, IUniswapV3Pool.tickBitmap.selector, uint256(word), 1)) {
                return (false, at);
            }
            uint256 bits = _word(at);
            for (int256 index = word << 8; bits != 0; ++index) {
                if (bits & 1 != 0) {
                    _put(at, uint256(index * spacing));
                    if (!_ask(at + 32, query.pool, IUniswapV3Pool.ticks.selector, _word(at), 8)) {
                        return (false, at);
                    }
                    at += TICK_SIZE;
                }
                bits >>= 1;
            }
        }
        return (true, at);
    }

    function _readAccount(uint256 at, address account, address[] calldata tokens, address manager)
        private
        view
        returns (uint256)
    {
        at = _put(at, account.balance);
        for (uint256 i = 0; i < tokens.length; ++i) {
            if (!_ask(at, tokens[i], IERC20.balanceOf.selector, uint160(account), 1)) {
                _put(at, type(uint256).max);
            }
            at += 32;
        }
        uint256 counted = at;
        at += 32;
        bool counts = manager != address(0)
            && _ask(counted, manager, INonfungiblePositionManager.balanceOf.selector, uint160(account), 1);
        uint256 count = counts ? _word(counted) : 0;
        for (uint256 i = 0; i < count; ++i) {
            if (!_askHeld(at, manager, account, i) || !_askPosition(at + 32, manager, _word(at))) {
                count = i;
                break;
            }
            at += 32 + POSITION_SIZE;
        }
        _put(counted, count);
        return at;
    }

    /// @dev The number of a position that an account holds.
    function _askHeld(uint256 at, address manager, address account, uint256 index)
        private
        view
        returns (bool ok)
    {
        bytes4 getter = INonfungiblePositionManager.tokenOfOwnerByIndex.selector;
        assembly ("memory-safe") {
            mstore(at, getter)
            mstore(add(at, 4), account)
            mstore(add(at, 36), index)
            ok := staticcall(gas(), manager, at, 68, at, 32)
            ok := and(ok, eq(returndatasize(), 32))
        }
    }

    function _askPosition(uint256 at, address manager, uint256 positionId) private view returns (bool) {
        return _ask(at, manager, INonfungiblePositionManager.positions.selector, positionId, 12);
    }

    /// @dev Asks a getter and writes its answer where it belongs; one that takes no argument disregards it.
    /// @param at Where the answer goes.
    /// @param words How long the answer is to be.
    function _ask(uint256 at, address target, bytes4 getter, uint256 argument, uint256 words)
        private
        view
        returns (bool ok)
    {
        assembly ("memory-safe") {
            mstore(0, getter)
            mstore(4, argument)
            ok := staticcall(gas(), target, 0, 36, at, shl(5, words))
            ok := and(ok, eq(returndatasize(), shl(5, words)))
        }
    }

    function _put(uint256 at, uint256 value) private pure returns (uint256) {
        assembly ("memory-safe") {
            mstore(at, value)
        }
        return at + 32;
    }

    function _word(uint256 at) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(at)
        }
    }

    function _floorDivide(int24 tick, int24 spacing) private pure returns (int256 quotient) {
        quotient = tick / spacing;
        if (tick < 0 && tick % spacing != 0) --quotient;
    }
}
