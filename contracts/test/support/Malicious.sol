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

/// @dev An owner that is a contract (ERC-1271): it answers for a hash what it was told to.
contract SigningOwner {
    mapping(bytes32 digest => bytes4) private _answers;

    function answer(bytes32 digest, bytes4 with) external {
        _answers[digest] = with;
    }

    function isValidSignature(bytes32 digest, bytes calldata) external view returns (bytes4) {
        return _answers[digest];
    }
}

/// @dev As USDT: nothing is returned, and an allowance has to be none before it can be another. Its balances lie where a
/// stand-in token has them.
contract TetherLike {
    string public name;
    string public symbol;
    uint256 public totalSupply;
    mapping(address account => uint256) public balanceOf;
    mapping(address holder => mapping(address spender => uint256)) public allowance;

    function approve(address spender, uint256 value) external {
        require(value == 0 || allowance[msg.sender][spender] == 0);
        allowance[msg.sender][spender] = value;
    }

    function transfer(address to, uint256 value) external {
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
    }

    function transferFrom(address from, address to, uint256 value) external {
        if (allowance[from][msg.sender] != type(uint256).max) allowance[from][msg.sender] -= value;
        balanceOf[from] -= value;
        balanceOf[to] += value;
    }
}

/// @dev A collection that calls somebody when one of its tokens is moved.
contract TrapCollection {
    bytes public reason;
    address private _at;
    bytes private _call;

    function arm(address at, bytes calldata call_) external {
        (_at, _call) = (at, call_);
    }

    function safeTransferFrom(address, address, uint256) external {
        (, reason) = _at.call(_call);
    }
}
