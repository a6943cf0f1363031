// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @dev What the tests use of forge's cheat codes.
interface Vm {
    struct Gas {
        uint64 gasLimit;
        uint64 gasTotalUsed;
        uint64 gasMemoryUsed;
        int64 gasRefunded;
        uint64 gasRemaining;
    }

    function prank(address sender) external;
    function deal(address account, uint256 wei_) external;
    function store(address account, bytes32 slot, bytes32 value) external;
    function warp(uint256 timestamp) external;
    function roll(uint256 blockNumber) external;
    function chainId(uint256 id) external;
    function setBlockhash(uint256 blockNumber, bytes32 blockHash) external;
    function getBlockNumber() external view returns (uint256);
    function getBlockTimestamp() external view returns (uint256);
    function expectRevert(bytes calldata data) external;
    function expectRevert(bytes4 selector) external;
    function expectPartialRevert(bytes4 selector) external;
    function expectEmit(address emitter) external;
    function lastCallGas() external view returns (Gas memory);
    function sign(uint256 privateKey, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function addr(uint256 privateKey) external pure returns (address);
    function assume(bool condition) external pure;
    function readFile(string calldata path) external view returns (string memory);
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory);
    function snapshotGasLastCall(string calldata group, string calldata name) external returns (uint256);
    function snapshotValue(string calldata group, string calldata name, uint256 value) external;
}

/// @dev The assertions the tests use; the messages say what was compared.
abstract contract Assertions {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    error NotEqual(string what, uint256 given, uint256 expected);
    error NotTrue(string what);
    error NotAtMost(string what, uint256 given, uint256 limit);

    function assertEq(uint256 given, uint256 expected, string memory what) internal pure {
        if (given != expected) revert NotEqual(what, given, expected);
    }

    function assertEq(bytes32 given, bytes32 expected, string memory what) internal pure {
        assertEq(uint256(given), uint256(expected), what);
    }

    function assertEq(address given, address expected, string memory what) internal pure {
        assertEq(uint160(given), uint160(expected), what);
    }

    function assertTrue(bool condition, string memory what) internal pure {
        if (!condition) revert NotTrue(what);
    }

    function assertAtMost(uint256 given, uint256 limit, string memory what) internal pure {
        if (given > limit) revert NotAtMost(what, given, limit);
    }

    /// @dev Deploys a contract of ours as the package carries it, or one of another's artifacts that has its bytecode.
    function _deployArtifact(string memory path, bytes memory arguments) internal returns (address deployed) {
        bytes memory code = bytes.concat(vm.parseJsonBytes(vm.readFile(path), ".bytecode"), arguments);
        assembly ("memory-safe") {
            deployed := create(0, add(code, 32), mload(code))
        }
        assertTrue(deployed != address(0), path);
    }

    function _deployOurs(string memory name, bytes memory arguments) internal returns (address) {
        return _deployArtifact(string.concat("../defai/chain/abi/", name, ".json"), arguments);
    }

    /// @dev A fuzzed number folded into a range, both ends included.
    function within(uint256 number, uint256 low, uint256 high) internal pure returns (uint256) {
        return high - low == type(uint256).max ? number : low + number % (high - low + 1);
    }
}
