// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {INonfungiblePositionManager, ISwapRouter02, IUniswapV3Pool} from "../interfaces/IUniswap.sol";

/// @title Reads the calls that a vault may make of Uniswap
/// @notice Turns calldata into what matters about it: which tokens, which pool, at most how much, paid to whom.
library UniswapCalls {
    /// @notice The eight calls that are understood: a swap in the pool itself, through the router, or through the router in
    /// a pair of Uniswap v2, and five on positions.
    enum Kind {
        Unknown,
        PoolSwap,
        Swap,
        PairSwap,
        Mint,
        Increase,
        Decrease,
        Collect,
        Burn
    }

    /// @notice What a call asks for.
    /// @dev Of a call on a position the calldata has no tokens and no fee: they stand in the position.
    struct Order {
        Kind kind;
        /// The position; 0 for a swap and for a new one.
        uint256 positionId;
        /// A swap sells tokenA for tokenB; for liquidity they are token0 and token1.
        address tokenA;
        address tokenB;
        uint24 fee;
        /// The most of each that may be spent.
        uint256 amountA;
        uint256 amountB;
        /// The least of tokenB that a swap accepts.
        uint256 minimumOut;
        /// Whom it pays; the vault where the call can't pay anyone else.
        address recipient;
    }

    /// @notice Stands for the pair of two tokens where a pool has its fee: no pool can have it, its factory's fees end at
    /// 1,000,000.
    uint24 internal constant PAIR = type(uint24).max;

    /// @notice The calldata is longer or shorter than the function's arguments.
    error MalformedCall(bytes4 selector, uint256 length);
    /// @notice A swap in a pool gives what it sells, as a positive amount.
    error NotExactInput(int256 amountSpecified);

    /// @notice Which call a selector stands for.
    function kindOf(bytes4 selector) internal pure returns (Kind) {
        if (selector == ISwapRouter02.exactInputSingle.selector) return Kind.Swap;
        if (selector == IUniswapV3Pool.swap.selector) return Kind.PoolSwap;
        if (selector == INonfungiblePositionManager.mint.selector) return Kind.Mint;
        if (selector == INonfungiblePositionManager.increaseLiquidity.selector) return Kind.Increase;
        if (selector == INonfungiblePositionManager.decreaseLiquidity.selector) return Kind.Decrease;
        if (selector == INonfungiblePositionManager.collect.selector) return Kind.Collect;
        if (selector == INonfungiblePositionManager.burn.selector) return Kind.Burn;
        if (selector == ISwapRouter02.swapExactTokensForTokens.selector) return Kind.PairSwap;
        return Kind.Unknown;
    }

    /// @notice A kind as one bit of a set of them; none for the unknown.
    function bit(Kind kind) internal pure returns (uint8) {
        return kind == Kind.Unknown ? 0 : uint8(1) << (uint8(kind) - 1);
    }

    /// @notice What pools are looked up by: two tokens in any order, and a fee.
    function poolKey(address tokenA, address tokenB, uint24 fee) internal pure returns (bytes32) {
        return tokenA < tokenB
            ? keccak256(abi.encode(tokenA, tokenB, fee))
            : keccak256(abi.encode(tokenB, tokenA, fee));
    }

    /// @notice Read a swap in a pool. Its last argument, the bytes that the pool hands back unread, is one word: the
    /// least that the swap may give, which the vault sees to.
    /// @param data Selector and arguments.
    /// @return recipient Whom it pays.
    /// @return zeroForOne Whether it sells token0.
    /// @return amountIn What it sells at most; a price limit may stop it before.
    /// @return minimumOut The least it accepts.
    function decodePoolSwap(bytes calldata data)
        internal
        pure
        returns (address recipient, bool zeroForOne, uint256 amountIn, uint256 minimumOut)
    {
        bytes calldata arguments = _arguments(data, 7);
        int256 amountSpecified;
        uint256 offset;
        uint256 length;
        (recipient, zeroForOne, amountSpecified,, offset, length, minimumOut) =
            abi.decode(arguments, (address, bool, int256, uint160, uint256, uint256, uint256));
        if (offset != 160 || length != 32) revert MalformedCall(bytes4(data), data.length);
        if (amountSpecified <= 0) revert NotExactInput(amountSpecified);
        amountIn = uint256(amountSpecified);
    }

    /// @notice Read a call of a known kind, other than a swap in a pool.
    /// @param data Selector and arguments.
    /// @param vault The caller, who is paid by the calls that name no recipient.
    function decode(Kind kind, bytes calldata data, address vault)
        internal
        pure
        returns (Order memory order)
    {
        order.kind = kind;
        order.recipient = vault;
        if (kind == Kind.Swap) {
            _readSwap(order, _arguments(data, 7));
        } else if (kind == Kind.PairSwap) {
            _readPairSwap(order, data);
        } else if (kind == Kind.Mint) {
            _readMint(order, _arguments(data, 11));
        } else if (kind == Kind.Increase) {
            bytes calldata arguments = _arguments(data, 6);
            (order.positionId, order.amountA, order.amountB) =
                abi.decode(arguments[:96], (uint256, uint256, uint256));
        } else if (kind == Kind.Decrease) {
            order.positionId = abi.decode(_arguments(data, 5)[:32], (uint256));
        } else if (kind == Kind.Collect) {
            (order.positionId, order.recipient) = abi.decode(_arguments(data, 4)[:64], (uint256, address));
        } else {
            order.positionId = abi.decode(_arguments(data, 1), (uint256));
        }
    }

    function _readSwap(Order memory order, bytes calldata arguments) private pure {
        ISwapRouter02.ExactInputSingleParams calldata swap;
        // The arguments are of the struct's size, and each field is checked as it is read.
        assembly ("memory-safe") {
            swap := arguments.offset
        }
        order.tokenA = swap.tokenIn;
        order.tokenB = swap.tokenOut;
        order.fee = swap.fee;
        order.recipient = swap.recipient;
        order.amountA = swap.amountIn;
        order.minimumOut = swap.amountOutMinimum;
    }

    /// @dev A path of two tokens and no more, so that the arguments are of a fixed size. From here on it is a swap like others.
    function _readPairSwap(Order memory order, bytes calldata data) private pure {
        uint256 offset;
        uint256 length;
        (order.amountA, order.minimumOut, offset, order.recipient, length, order.tokenA, order.tokenB) =
            abi.decode(_arguments(data, 7), (uint256, uint256, uint256, address, uint256, address, address));
        if (offset != 128 || length != 2) revert MalformedCall(bytes4(data), data.length);
        order.kind = Kind.Swap;
        order.fee = PAIR;
    }

    function _readMint(Order memory order, bytes calldata arguments) private pure {
        INonfungiblePositionManager.MintParams calldata mint;
        assembly ("memory-safe") {
            mint := arguments.offset
        }
        order.tokenA = mint.token0;
        order.tokenB = mint.token1;
        order.fee = mint.fee;
        order.amountA = mint.amount0Desired;
        order.amountB = mint.amount1Desired;
        order.recipient = mint.recipient;
    }

    /// @dev All the calls have arguments of a fixed size; anything else could hide something from the reader.
    function _arguments(bytes calldata data, uint256 words) private pure returns (bytes calldata) {
        if (data.length != 4 + 32 * words) revert MalformedCall(bytes4(data), data.length);
        return data[4:];
    }
}
