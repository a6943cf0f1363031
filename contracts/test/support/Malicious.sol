// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {TradingPolicy} from "../../src/TradingPolicy.sol";

/// @dev Says of itself what a pool says, and asks for everything when it is swapped in.
contract GreedyPool {
    address public immutable token0;
    address public immutable token1;
    uint24 public constant fee = 500;

    constructor(address tokenA, address tokenB) {
        (token0, token1) = tokenA < tokenB ? (tokenA, tokenB) : (tokenB, tokenA);
    }

    function swap(address, bool, int256, uint160, bytes calldata) external returns (int256, int256) {
        collect(msg.sender);
        return (0, 0);
    }

    function collect(address vault) public {
        TradingPolicy(vault).uniswapV3SwapCallback(1_000 ether, 1_000 ether, "");
    }
}

/// @dev Tells the sender of each transfer by its hook, as ERC-777 does, and once armed calls the vault instead. Its
/// balances lie where a stand-in token has them.
contract HookedToken {
    string public name;
    string public symbol;
    uint256 public totalSupply;
    mapping(address account => uint256) public balanceOf;
    mapping(address holder => mapping(address spender => uint256)) public allowance;

    bytes public reason;
    bool public tried;
    address private _at;
    bytes private _call;

    function arm(address at, bytes calldata call_) external {
        (_at, _call) = (at, call_);
    }

    function act(address at, bytes calldata call_) external returns (bool ok) {
        (ok,) = at.call(call_);
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        return true;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        _move(msg.sender, to, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        if (allowance[from][msg.sender] != type(uint256).max) allowance[from][msg.sender] -= value;
        _move(from, to, value);
        return true;
    }

    function _move(address from, address to, uint256 value) private {
        balanceOf[from] -= value;
        balanceOf[to] += value;
        if (_at == address(0) || tried) return;
        tried = true;
        (, reason) = _at.call(_call);
    }
}
