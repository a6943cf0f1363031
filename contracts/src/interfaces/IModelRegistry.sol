// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice What a model's file says ahead of its trees.
struct ModelTerms {
    /// Digest of the feature specification: names, versions and scales, in order.
    bytes32 featuresDigest;
    /// What is forecast: 1 volatility, 2 return.
    uint8 targetKind;
    /// How many blocks ahead.
    uint32 horizonBlocks;
    /// Half the width of the forecast's band times 2**24; -1 where the model has none.
    int64 bandX24;
    /// Whether the model beat its best baseline out of sample.
    bool beatsBaseline;
    /// keccak256 of the model's card: data, folds, metrics, limits.
    bytes32 cardDigest;
    /// Where the card is.
    string cardURI;
}

/// @title Models that anyone can run
/// @notice ERC-721 tokens, one for each model. A model's file stands as contract code, written over as many
/// transactions as it takes; once sealed it can't change, and `predict` walks its trees.
/// @dev A file is (defai/chain/model_registry.py)
///   featuresDigest 32 | targetKind u8 | horizonBlocks u32 | bandX24 i64 | beatsBaseline u8 |
///   cardDigest 32 | length of the card's URI u16 | the URI | the ensemble's bytes (defai/models/blob.py)
/// and the model's digest, which doesn't cover the card, is that of defai/models/trained.py:
///   keccak256(version u8 | the first 46 bytes | keccak256(the ensemble's bytes)).
interface IModelRegistry {
    /// @notice A model was announced; its file is still to come.
    event ModelDrafted(uint256 indexed modelId, address indexed author, uint256 indexed parent);

    /// @notice A part of a model's file was written.
    event ModelPartWritten(uint256 indexed modelId, address chunk, uint256 size);

    /// @notice A model is complete and will never change.
    event ModelSealed(
        uint256 indexed modelId, bytes32 indexed digest, bytes32 indexed featuresDigest, uint256 size
    );

    /// @notice Only the model's owner may.
    error NotModelOwner(address caller, uint256 modelId);
    /// @notice The model is complete; nothing can be written to it.
    error AlreadySealed(uint256 modelId);
    /// @notice The model isn't complete, or there is none of this number.
    error NotSealed(uint256 modelId);
    /// @notice What was written isn't the model it is to be.
    error WrongDigest(bytes32 expected, bytes32 given);
    /// @notice What was written isn't a model's file.
    error MalformedModel();
    /// @notice A part has at least one byte and at most 24,575, and a file less than 16 MB.
    error WrongPartSize(uint256 size);
    /// @notice The row has fewer features than the model looks at.
    error TooFewFeatures(uint256 needed, uint256 given);
    /// @notice A feature is an int32.
    error FeatureOutOfRange();

    /// @notice Announce, write and seal a model whose file is one part.
    /// @param parent The sealed model it replaces; 0 for none.
    /// @return modelId Its number; the first one is 1.
    function publish(uint256 parent, bytes calldata file, bytes32 digest) external returns (uint256 modelId);

    /// @notice Announce a model; its token is the caller's from now on.
    /// @param parent The sealed model it replaces; 0 for none.
    function draft(uint256 parent) external returns (uint256 modelId);

    /// @notice Write the next part of a model's file.
    function write(uint256 modelId, bytes calldata part) external;

    /// @notice Declare a model complete. Reverts unless what was written has this digest.
    function seal(uint256 modelId, bytes32 digest) external;

    /// @notice The model's forecast for a row of features, times 2**24: what LightGBM gives, to the last bit.
    /// @param features In the order of the feature specification.
    function predict(uint256 modelId, int32[] calldata features) external view returns (int256 scoreX24);

    /// @notice What is known of a sealed model.
    function modelOf(uint256 modelId)
        external
        view
        returns (bytes32 digest, uint256 parent, ModelTerms memory terms);

    /// @notice The file of a model, as far as it is written.
    function fileOf(uint256 modelId) external view returns (bytes memory);

    /// @notice Whether a model is complete.
    function isSealed(uint256 modelId) external view returns (bool);

    /// @notice The first sealed model that has a digest; 0 where there is none.
    /// @dev All that have it forecast the same. Card and parent are not covered by it: they are their author's word, whose
    /// token says who he is. `ModelSealed` tells all of them.
    function idOf(bytes32 digest) external view returns (uint256 modelId);

    /// @notice How many models were announced, which is the newest one's number.
    function totalSupply() external view returns (uint256);
}
