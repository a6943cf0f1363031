// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ModelTerms} from "../interfaces/IModelRegistry.sol";
import {TreeWalk} from "./TreeWalk.sol";

/// @title A model's file
/// @notice Takes apart what {IModelRegistry} describes: terms, card, ensemble.
library ModelFile {
    /// @dev The version of what a model's digest covers (ENCODING_VERSION of defai/models/trained.py).
    uint8 private constant DIGEST_VERSION = 2;
    /// @dev What the digest covers ahead of the ensemble: the terms without the card.
    uint256 private constant TERMS_SIZE = 46;
    /// @dev Where the length of the card's URI stands, and where the URI starts.
    uint256 private constant URI_LENGTH_AT = 78;
    uint256 private constant URI_AT = 80;

    /// @notice Whether the file's parts fill it exactly.
    function isWellFormed(bytes memory file) internal pure returns (bool) {
        if (file.length < URI_AT || URI_AT + _uriLength(file) > file.length) return false;
        return TreeWalk.isFramed(ensembleAt(file), file.length - URI_AT - _uriLength(file));
    }

    /// @notice The digest of the model.
    function digest(bytes memory file) internal pure returns (bytes32 value) {
        uint256 at = ensembleAt(file);
        uint256 version = DIGEST_VERSION;
        assembly ("memory-safe") {
            let size := sub(add(add(file, 32), mload(file)), at)
            let ensembleDigest := keccak256(at, size)
            let free := mload(0x40)
            mstore8(free, version)
            mcopy(add(free, 1), add(file, 32), TERMS_SIZE)
            mstore(add(free, add(1, TERMS_SIZE)), ensembleDigest)
            value := keccak256(free, add(33, TERMS_SIZE))
        }
    }

    /// @notice What the file says ahead of the trees.
    function terms(bytes memory file) internal pure returns (ModelTerms memory said) {
        uint256 packed;
        bytes32 card;
        assembly ("memory-safe") {
            packed := mload(add(file, 64))
            card := mload(add(file, 78))
        }
        said.featuresDigest = featuresDigest(file);
        said.targetKind = uint8(packed >> 248);
        said.horizonBlocks = uint32(packed >> 216);
        said.bandX24 = int64(uint64(packed >> 152));
        said.beatsBaseline = uint8(packed >> 144) != 0;
        said.cardDigest = card;
        bytes memory uri = new bytes(_uriLength(file));
        assembly ("memory-safe") {
            mcopy(add(uri, 32), add(file, 112), mload(uri))
        }
        said.cardURI = string(uri);
    }

    /// @notice Digest of the feature specification.
    function featuresDigest(bytes memory file) internal pure returns (bytes32 value) {
        assembly ("memory-safe") {
            value := mload(add(file, 32))
        }
    }

    /// @notice Where in memory the ensemble's bytes start.
    function ensembleAt(bytes memory file) internal pure returns (uint256 at) {
        uint256 start = URI_AT + 32 + _uriLength(file);
        assembly ("memory-safe") {
            at := add(file, start)
        }
    }

    function _uriLength(bytes memory file) private pure returns (uint256 length) {
        assembly ("memory-safe") {
            length := shr(240, mload(add(file, add(32, URI_LENGTH_AT))))
        }
    }
}
