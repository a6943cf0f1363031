// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title ERC-5192, minimal soulbound tokens (https://eips.ethereum.org/EIPS/eip-5192)
/// @dev The interface's identifier is 0xb45a3c0e.
interface IERC5192 {
    /// @notice A token was locked.
    event Locked(uint256 tokenId);

    /// @notice A token was unlocked. Part of the standard; our records never are.
    event Unlocked(uint256 tokenId);

    /// @notice Whether a token is locked. Reverts where there is no such token.
    function locked(uint256 tokenId) external view returns (bool);
}
