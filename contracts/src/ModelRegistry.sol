// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";

import {IModelRegistry, ModelTerms} from "./interfaces/IModelRegistry.sol";
import {ChunkStore} from "./libraries/ChunkStore.sol";
import {ModelFile} from "./libraries/ModelFile.sol";
import {TreeWalk} from "./libraries/TreeWalk.sol";

/// @title Models that anyone can run
/// @notice See {IModelRegistry}.
/// @dev All that never changes stands in the file, which is code: a byte of it costs a third of a byte of storage.
contract ModelRegistry is IModelRegistry, ERC721 {
    struct Model {
        address firstChunk;
        uint24 size;
        bool isSealed;
        uint64 parent;
        address[] moreChunks;
    }

    /// @inheritdoc IModelRegistry
    uint256 public totalSupply;
    /// @inheritdoc IModelRegistry
    mapping(bytes32 digest => uint256) public idOf;
    mapping(uint256 modelId => Model) private _models;

    modifier onlyModelOwner(uint256 modelId) {
        if (msg.sender != ownerOf(modelId)) revert NotModelOwner(msg.sender, modelId);
        _;
    }

    constructor() ERC721("defai model", "MODEL") {}

    /// @inheritdoc IModelRegistry
    function publish(uint256 parent, bytes calldata file, bytes32 digest) external returns (uint256 modelId) {
        modelId = draft(parent);
        _write(modelId, file);
        _seal(modelId, digest);
    }

    /// @inheritdoc IModelRegistry
    function write(uint256 modelId, bytes calldata part) external onlyModelOwner(modelId) {
        _write(modelId, part);
    }

    /// @inheritdoc IModelRegistry
    function seal(uint256 modelId, bytes32 digest) external onlyModelOwner(modelId) {
        _seal(modelId, digest);
    }

    /// @inheritdoc IModelRegistry
    function predict(uint256 modelId, int32[] calldata features) external view returns (int256) {
        bytes memory file = _sealedFile(modelId);
        return TreeWalk.predict(ModelFile.ensembleAt(file), features);
    }

    /// @inheritdoc IModelRegistry
    function modelOf(uint256 modelId)
        external
        view
        returns (bytes32 digest, uint256 parent, ModelTerms memory terms)
    {
        bytes memory file = _sealedFile(modelId);
        return (ModelFile.digest(file), _models[modelId].parent, ModelFile.terms(file));
    }

    /// @inheritdoc IModelRegistry
    function fileOf(uint256 modelId) external view returns (bytes memory) {
        _requireOwned(modelId);
        return _read(_models[modelId]);
    }

    /// @inheritdoc IModelRegistry
    function isSealed(uint256 modelId) external view returns (bool) {
        _requireOwned(modelId);
        return _models[modelId].isSealed;
    }

    /// @inheritdoc IModelRegistry
    function draft(uint256 parent) public returns (uint256 modelId) {
        if (parent != 0 && !_models[parent].isSealed) revert NotSealed(parent);
        modelId = ++totalSupply;
        // A parent is the number of a model, and so many are never counted.
        _models[modelId].parent = uint64(parent);
        emit ModelDrafted(modelId, msg.sender, parent);
        _mint(msg.sender, modelId);
    }

    /// @notice Where the model's card is; empty until the model is sealed.
    function tokenURI(uint256 modelId) public view override returns (string memory) {
        _requireOwned(modelId);
        Model storage model = _models[modelId];
        return model.isSealed ? ModelFile.terms(_read(model)).cardURI : "";
    }

    function _write(uint256 modelId, bytes calldata part) private {
        Model storage model = _models[modelId];
        if (model.isSealed) revert AlreadySealed(modelId);
        uint256 size = uint256(model.size) + part.length;
        if (part.length == 0 || part.length > ChunkStore.MAX_SIZE || size > type(uint24).max) {
            revert WrongPartSize(part.length);
        }
        address chunk = ChunkStore.write(part);
        if (model.size == 0) model.firstChunk = chunk;
        else model.moreChunks.push(chunk);
        model.size = uint24(size);
        emit ModelPartWritten(modelId, chunk, part.length);
    }

    function _seal(uint256 modelId, bytes32 expected) private {
        Model storage model = _models[modelId];
        if (model.isSealed) revert AlreadySealed(modelId);
        bytes memory file = _read(model);
        if (!ModelFile.isWellFormed(file)) revert MalformedModel();
        bytes32 digest = ModelFile.digest(file);
        if (digest != expected) revert WrongDigest(expected, digest);
        // The card isn't covered by the digest: whoever comes first with a false one can't keep the author out.
        if (idOf[digest] == 0) idOf[digest] = modelId;
        model.isSealed = true;
        emit ModelSealed(modelId, digest, ModelFile.featuresDigest(file), file.length);
    }

    function _sealedFile(uint256 modelId) private view returns (bytes memory) {
        Model storage model = _models[modelId];
        if (!model.isSealed) revert NotSealed(modelId);
        return _read(model);
    }

    /// @dev All chunks behind each other, each without its STOP, and a word of zeros: a walk reads whole words.
    function _read(Model storage model) private view returns (bytes memory file) {
        uint256 size = model.size;
        assembly ("memory-safe") {
            file := mload(0x40)
            mstore(file, size)
            let end := add(add(file, 32), size)
            mstore(end, 0)
            mstore(0x40, and(add(end, 63), not(31)))
        }
        address chunk = model.firstChunk;
        uint256 index = 0;
        for (uint256 at = 0; at < size;) {
            if (at != 0) chunk = model.moreChunks[index++];
            uint256 part = chunk.code.length - 1;
            assembly ("memory-safe") {
                extcodecopy(chunk, add(add(file, 32), at), 1, part)
            }
            at += part;
        }
    }
}
