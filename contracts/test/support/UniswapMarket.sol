// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {
    INonfungiblePositionManager,
    ISwapRouter02,
    IUniswapV3Factory,
    IUniswapV3Pool
} from "../../src/interfaces/IUniswap.sol";
import {StandinToken} from "../../src/standin/StandinToken.sol";
import {Assertions} from "./Vm.sol";

interface IWeth is IERC20 {
    function deposit() external payable;
}

interface IPoolCreator is IUniswapV3Factory {
    function createPool(address tokenA, address tokenB, uint24 fee) external returns (address);
}

interface IPoolSetup is IUniswapV3Pool {
    function initialize(uint160 sqrtPriceX96) external;
    function increaseObservationCardinalityNext(uint16 cardinality) external;
}

/// @dev Uniswap v3 from its own bytecode, with a pool of WETH and a dollar at a price of one. One unit of each is worth
/// the same at the start, which keeps the tests' arithmetic in the head.
abstract contract UniswapMarket is Assertions {
    uint24 internal constant FEE = 500;
    uint160 internal constant PRICE_ONE = 1 << 96;
    uint256 internal constant DEADLINE = type(uint256).max;

    address internal immutable maker = address(0x3A4E5);
    address internal immutable trader = address(0x78ADE5);

    IPoolCreator internal uniswap;
    INonfungiblePositionManager internal manager;
    ISwapRouter02 internal router;
    IWeth internal weth;
    StandinToken internal usd;
    IPoolSetup internal pool;

    function _openMarket() internal {
        uniswap = IPoolCreator(
            _deploy("v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json", "")
        );
        weth = IWeth(_deploy("v2-periphery/build/WETH9.json", ""));
        address v2 = _deploy("v2-core/build/UniswapV2Factory.json", abi.encode(maker));
        manager = INonfungiblePositionManager(
            _deploy(
                "v3-periphery/artifacts/contracts/NonfungiblePositionManager.sol/NonfungiblePositionManager.json",
                abi.encode(uniswap, weth, address(0))
            )
        );
        router = ISwapRouter02(
            _deploy(
                "swap-router-contracts/artifacts/contracts/SwapRouter02.sol/SwapRouter02.json",
                abi.encode(v2, uniswap, manager, weth)
            )
        );
        usd = _newToken("Dollar", "USD");
        pool = _openPool(address(usd));
    }

    /// @dev A pool of WETH and a token, liquid over a wide band, its observations reaching far enough back for an average.
    function _openPool(address token) internal returns (IPoolSetup opened) {
        opened = IPoolSetup(uniswap.createPool(token, address(weth), FEE));
        opened.initialize(PRICE_ONE);
        opened.increaseObservationCardinalityNext(60);
        _giveWeth(maker, 1_000_000 ether);
        _give(token, maker, 1_000_000 ether);
        _approveAll(maker, token);
        vm.prank(maker);
        manager.mint(_mintParams(token, maker, -6_000, 6_000, 1_000_000 ether));
    }

    function _mintParams(address token, address recipient, int24 lower, int24 upper, uint256 amount)
        internal
        view
        returns (INonfungiblePositionManager.MintParams memory)
    {
        (address token0, address token1) = _sorted(token, address(weth));
        return INonfungiblePositionManager.MintParams({
            token0: token0,
            token1: token1,
            fee: FEE,
            tickLower: lower,
            tickUpper: upper,
            amount0Desired: amount,
            amount1Desired: amount,
            amount0Min: 0,
            amount1Min: 0,
            recipient: recipient,
            deadline: DEADLINE
        });
    }

    function _swapParams(address tokenIn, address tokenOut, address recipient, uint256 amount)
        internal
        pure
        returns (ISwapRouter02.ExactInputSingleParams memory)
    {
        return ISwapRouter02.ExactInputSingleParams({
            tokenIn: tokenIn,
            tokenOut: tokenOut,
            fee: FEE,
            recipient: recipient,
            amountIn: amount,
            amountOutMinimum: 0,
            sqrtPriceLimitX96: 0
        });
    }

    /// @dev Somebody trades, and so moves the spot price.
    function _someoneSwaps(address tokenIn, address tokenOut, uint256 amount) internal {
        tokenIn == address(weth) ? _giveWeth(trader, amount) : _give(tokenIn, trader, amount);
        vm.prank(trader);
        IERC20(tokenIn).approve(address(router), type(uint256).max);
        vm.prank(trader);
        router.exactInputSingle(_swapParams(tokenIn, tokenOut, trader, amount));
    }

    function _giveWeth(address account, uint256 amount) internal {
        vm.deal(account, amount);
        vm.prank(account);
        weth.deposit{value: amount}();
    }

    /// @dev Stand-in tokens have no mint: their balances are written, as the node does on the stand-in chain.
    function _give(address token, address account, uint256 amount) internal {
        bytes32 slot = keccak256(abi.encode(account, uint256(3)));
        vm.store(token, slot, bytes32(IERC20(token).balanceOf(account) + amount));
    }

    /// @dev Not every token answers.
    function _approveAll(address account, address token) internal {
        bytes memory all = abi.encodeCall(IERC20.approve, (address(manager), type(uint256).max));
        vm.prank(account);
        (bool ok,) = token.call(all);
        vm.prank(account);
        (bool too,) = address(weth).call(all);
        assertTrue(ok && too, "allowances");
    }

    function _newToken(string memory name, string memory symbol) internal returns (StandinToken) {
        return StandinToken(_deployOurs("StandinToken", abi.encode(name, symbol, 18)));
    }

    function _deploy(string memory artifact, bytes memory arguments) internal returns (address) {
        return _deployArtifact(string.concat("node_modules/@uniswap/", artifact), arguments);
    }

    function _sorted(address a, address b) internal pure returns (address, address) {
        return a < b ? (a, b) : (b, a);
    }
}
