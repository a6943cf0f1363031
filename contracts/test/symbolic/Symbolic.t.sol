// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {TradingPolicy} from "../../src/TradingPolicy.sol";
import {ICircuitBreaker} from "../../src/interfaces/ICircuitBreaker.sol";
import {INonfungiblePositionManager, ISwapRouter02, IUniswapV3Pool} from "../../src/interfaces/IUniswap.sol";
import {SpendingCap} from "../../src/libraries/SpendingCap.sol";
import {UniswapCalls} from "../../src/libraries/UniswapCalls.sol";
import {Assertions} from "../support/Vm.sol";

/// @dev What halmos proves for every input, not for the ones a fuzzer tries. Functions it runs begin with check_.
contract Symbolic is Assertions {
    using SpendingCap for SpendingCap.Bucket;

    SpendingCap.Bucket private _bucket;
    PolicyHarness private _policy = new PolicyHarness();
    Reader private _reader = new Reader();

    /// @dev What goes through leaves the bucket at half the day's cap at most, and is counted in full.
    function check_ASpendingFitsTheBucket(uint120 level, uint120 maxPerDay, uint256 amount) public {
        if (maxPerDay == SpendingCap.UNLIMITED) return;
        // Within one moment, in which nothing leaks; that the leak is at most the cap's is fuzzed.
        vm.warp(1_700_000_000);
        _bucket.level = level;
        _bucket.updatedAt = uint32(block.timestamp);
        bool ok = _bucket.consume(maxPerDay, amount);
        if (ok) {
            // A bucket that a tighter policy found too full already only empties.
            assert(amount == 0 || _bucket.level <= maxPerDay / 2);
            assert(_bucket.level == uint256(level) + amount);
        } else {
            assert(_bucket.level == level);
            assert(amount > maxPerDay / 2 || level > maxPerDay / 2 - amount);
        }
    }

    /// @dev A larger threshold is never kept as a smaller one.
    function check_ThresholdsKeepTheirOrder(uint120 smaller, uint120 larger) public pure {
        if (smaller > larger) return;
        assert(SpendingCap.clampThreshold(smaller) <= SpendingCap.clampThreshold(larger));
        assert(SpendingCap.clampThreshold(smaller) <= smaller);
    }

    /// @dev Without a rule no call is made, whatever its target and function.
    function check_NothingIsAllowedUnlessNamed(address target, bytes4 selector, bool approved) public {
        (bool ok,) = address(_policy)
            .call(abi.encodeCall(PolicyHarness.make, (target, abi.encodePacked(selector), approved)));
        assert(!ok);
    }

    /// @dev Nobody is paid out of turn, whatever he asks for.
    function check_NobodyIsPaidOutsideASwap(int256 amount0, int256 amount1) public {
        (bool ok,) =
            address(_policy).call(abi.encodeCall(TradingPolicy.uniswapV3SwapCallback, (amount0, amount1, "")));
        assert(!ok);
    }

    /// @dev A swap in a pool is read as what it is, whatever stands in it; and the bytes have one reading only.
    function check_ASwapIsReadAsItIs(
        address recipient,
        bool zeroForOne,
        int256 amount,
        uint160 limit,
        uint256 offset,
        uint256 length,
        uint256 minimumOut
    ) public view {
        bytes memory data = abi.encodePacked(
            IUniswapV3Pool.swap.selector,
            abi.encode(recipient, zeroForOne, amount, limit, offset, length, minimumOut)
        );
        try _reader.read(data) returns (address to, bool direction, uint256 amountIn, uint256 least) {
            assert(to == recipient && direction == zeroForOne && least == minimumOut);
            assert(amount > 0 && amountIn == uint256(amount));
            assert(offset == 160 && length == 32);
        } catch {
            assert(amount <= 0 || offset != 160 || length != 32);
        }
    }

    /// @dev So is a swap through the router: whom it pays, what it sells, the least it accepts.
    function check_ARouterSwapIsReadAsItIs(
        address tokenIn,
        address tokenOut,
        uint24 fee,
        address recipient,
        uint256 amountIn,
        uint256 least,
        uint160 limit
    ) public view {
        bytes memory data = abi.encodePacked(
            ISwapRouter02.exactInputSingle.selector,
            abi.encode(tokenIn, tokenOut, fee, recipient, amountIn, least, limit)
        );
        UniswapCalls.Order memory order = _reader.order(UniswapCalls.Kind.Swap, data);
        assert(order.tokenA == tokenIn && order.tokenB == tokenOut && order.fee == fee);
        assert(order.recipient == recipient && order.amountA == amountIn && order.minimumOut == least);
        assert(order.amountB == 0 && order.positionId == 0);
    }

    /// @dev And whom a collection pays; the calls that name nobody pay the vault.
    function check_WhomAPositionsCallPays(uint256 positionId, address recipient, uint128 most0, uint128 most1)
        public
        view
    {
        bytes memory collect = abi.encodePacked(
            INonfungiblePositionManager.collect.selector, abi.encode(positionId, recipient, most0, most1)
        );
        UniswapCalls.Order memory order = _reader.order(UniswapCalls.Kind.Collect, collect);
        assert(order.positionId == positionId && order.recipient == recipient);
        bytes memory burn =
            abi.encodePacked(INonfungiblePositionManager.burn.selector, abi.encode(positionId));
        order = _reader.order(UniswapCalls.Kind.Burn, burn);
        assert(order.positionId == positionId && order.recipient == address(_reader));
    }
}

/// @dev A policy without a rule.
contract PolicyHarness is TradingPolicy {
    constructor() TradingPolicy(ICircuitBreaker(address(0))) {}

    function make(address target, bytes calldata data, bool approved) external returns (bytes memory) {
        return _makeCall(target, data, approved);
    }
}

/// @dev Calldata for the library, which reads nothing else.
contract Reader {
    function read(bytes calldata data) external pure returns (address, bool, uint256, uint256) {
        return UniswapCalls.decodePoolSwap(data);
    }

    function order(UniswapCalls.Kind kind, bytes calldata data)
        external
        view
        returns (UniswapCalls.Order memory)
    {
        return UniswapCalls.decode(kind, data, address(this));
    }
}
