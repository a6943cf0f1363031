// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

import {ModelRegistry} from "../src/ModelRegistry.sol";
import {IModelRegistry, ModelTerms} from "../src/interfaces/IModelRegistry.sol";
import {Trees} from "./support/Trees.sol";
import {Assertions} from "./support/Vm.sol";

contract ModelRegistryTest is Assertions {
    bytes32 private constant FEATURES = keccak256("features");
    bytes32 private constant CARD = keccak256("card");
    string private constant CARD_URI = "ipfs://bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";

    address private immutable author = address(0xA07);
    address private immutable stranger = address(0x574A);
    ModelRegistry private registry;

    function setUp() public {
        registry = ModelRegistry(_deployOurs("ModelRegistry", ""));
    }

    // Publishing

    function test_AModelIsPublishedInOneTransaction() public {
        bytes memory blob = _stump(-3);
        bytes memory file = _file(blob);
        bytes32 digest = _digest(blob);
        vm.expectEmit(address(registry));
        emit IModelRegistry.ModelDrafted(1, author, 0);
        vm.expectEmit(address(registry));
        emit IERC721.Transfer(address(0), author, 1);
        vm.expectEmit(address(registry));
        emit IModelRegistry.ModelSealed(1, digest, FEATURES, file.length);
        vm.prank(author);
        assertEq(registry.publish(0, file, digest), 1, "the first model's number");

        assertEq(registry.ownerOf(1), author, "its owner");
        assertEq(registry.idOf(digest), 1, "the model of the digest");
        assertEq(registry.totalSupply(), 1, "the supply");
        assertTrue(registry.isSealed(1), "it is sealed");
        assertEq(keccak256(registry.fileOf(1)), keccak256(file), "its file");
        assertEq(keccak256(bytes(registry.tokenURI(1))), keccak256(bytes(CARD_URI)), "its card");
        (bytes32 stored, uint256 parent, ModelTerms memory terms) = registry.modelOf(1);
        assertEq(stored, digest, "its digest");
        assertEq(parent, 0, "its parent");
        assertEq(terms.featuresDigest, FEATURES, "its features");
        assertEq(terms.targetKind, 2, "its target");
        assertEq(terms.horizonBlocks, 12, "its horizon");
        assertTrue(terms.bandX24 == -1, "its band");
        assertTrue(terms.beatsBaseline, "it beats its baseline");
        assertEq(terms.cardDigest, CARD, "its card's digest");
        assertEq(keccak256(bytes(terms.cardURI)), keccak256(bytes(CARD_URI)), "where its card is");
    }

    function test_AFileOfAnotherDigestIsNotSealed() public {
        bytes memory file = _file(_stump(-3));
        bytes32 other = _digest(_stump(-4));
        vm.expectRevert(
            abi.encodeWithSelector(IModelRegistry.WrongDigest.selector, other, _digest(_stump(-3)))
        );
        registry.publish(0, file, other);
    }

    /// @dev Whatever byte is changed, the digest the author gave is not the file's any more; the card's are not covered.
    function testFuzz_AChangedByteIsNotSealed(uint256 at, uint8 change) public {
        vm.assume(change != 0);
        bytes memory blob = _stump(-3);
        bytes memory file = _file(blob);
        at = within(at, 0, file.length - 1);
        uint256 blobAt = file.length - blob.length;
        vm.assume(at < 46 || at >= blobAt);
        file[at] ^= bytes1(change);
        (bool ok,) = address(registry).call(abi.encodeCall(registry.publish, (0, file, _digest(blob))));
        assertTrue(!ok, "a changed file is sealed");
    }

    function test_SquattingOnADigest() public {
        // A thief sees the author's upload, and seals the same trees first, with a card of his own.
        bytes memory blob = _stump(-3);
        bytes memory false_ = _file(blob);
        false_[46] ^= 0xff;
        vm.prank(address(0x74EF));
        registry.publish(0, false_, _digest(blob));
        bytes memory true_ = _file(blob);
        vm.prank(author);
        uint256 modelId = registry.publish(0, true_, _digest(blob));
        assertEq(modelId, 2, "the author's number");
        assertEq(registry.ownerOf(modelId), author, "its owner");
        (bytes32 digest,, ModelTerms memory terms) = registry.modelOf(modelId);
        assertEq(digest, _digest(blob), "its digest");
        assertEq(terms.cardDigest, CARD, "its card");
        assertEq(registry.idOf(digest), 1, "whoever asks by digest gets the same trees");
        int32[] memory row = new int32[](1);
        assertTrue(registry.predict(1, row) == registry.predict(2, row), "and the same forecast");
    }

    function test_BytesThatAreNoEnsembleAreNotSealed() public {
        bytes memory good = _stump(-3);
        _rejects(bytes.concat(good, hex"00"));
        bytes memory short_ = _stump(-3);
        assembly ("memory-safe") {
            mstore(short_, sub(mload(short_), 1))
        }
        _rejects(short_);
        _rejects(hex"0104");
        _rejects(_set(0, 3));
        _rejects(_set(1, 0));
        _rejects(_set(1, 33));
        _rejects(_set(5, 2));
        _rejects(_set(14, 1));
        _rejects(_set(16, 0));
        _rejects(_set(16, 2));
        // The card's URI would be longer than the file.
        bytes memory file = _file(good);
        file[78] = 0xff;
        vm.expectRevert(IModelRegistry.MalformedModel.selector);
        registry.publish(0, file, _digest(good));
        vm.expectRevert(IModelRegistry.MalformedModel.selector);
        registry.publish(0, new bytes(79), bytes32(0));
    }

    // Several parts

    function test_AModelIsWrittenInPartsAndSealed() public {
        bytes memory blob = Trees.grown(Trees.Shape(150, 31, 12, 4, 2, 7), 5);
        bytes memory file = _file(blob);
        assertTrue(file.length > 2 * 24_575, "it takes three parts");
        vm.prank(author);
        uint256 modelId = registry.draft(0);
        for (uint256 at = 0; at < file.length; at += 24_575) {
            vm.prank(author);
            registry.write(modelId, _slice(file, at, 24_575));
        }
        vm.prank(author);
        registry.seal(modelId, _digest(blob));
        assertEq(keccak256(registry.fileOf(modelId)), keccak256(file), "its file");
        int32[] memory row = Trees.row(12, 3);
        assertTrue(registry.predict(modelId, row) == Trees.forecast(blob, row), "its forecast");
    }

    function test_APartialModelIsNotSealed() public {
        bytes memory blob = _stump(-3);
        bytes memory file = _file(blob);
        vm.prank(author);
        registry.draft(0);
        vm.prank(author);
        vm.expectRevert(IModelRegistry.MalformedModel.selector);
        registry.seal(1, _digest(blob));
        vm.prank(author);
        registry.write(1, _slice(file, 0, file.length - 1));
        vm.prank(author);
        vm.expectRevert(IModelRegistry.MalformedModel.selector);
        registry.seal(1, _digest(blob));

        assertTrue(!registry.isSealed(1), "it is not sealed");
        assertEq(bytes(registry.tokenURI(1)).length, 0, "its card");
        assertEq(registry.idOf(_digest(blob)), 0, "the model of the digest");
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.NotSealed.selector, 1));
        registry.predict(1, Trees.row(1, 1));
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.NotSealed.selector, 1));
        registry.modelOf(1);

        vm.prank(author);
        registry.write(1, _slice(file, file.length - 1, 1));
        vm.prank(author);
        registry.seal(1, _digest(blob));
        assertTrue(registry.isSealed(1), "it is sealed");
    }

    function test_ASealedModelNeverChanges() public {
        bytes memory blob = _stump(-3);
        vm.prank(author);
        _publishAs(blob);
        vm.prank(author);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.AlreadySealed.selector, 1));
        registry.write(1, hex"00");
        vm.prank(author);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.AlreadySealed.selector, 1));
        registry.seal(1, _digest(blob));
    }

    function test_NobodyElseWritesOrSeals() public {
        vm.prank(author);
        registry.draft(0);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.NotModelOwner.selector, stranger, 1));
        registry.write(1, hex"00");
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.NotModelOwner.selector, stranger, 1));
        registry.seal(1, 0);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 2));
        registry.write(2, hex"00");
    }

    function test_APartHasALimit() public {
        vm.prank(author);
        registry.draft(0);
        for (uint256 i = 0; i < 2; ++i) {
            uint256 size = i == 0 ? 0 : 24_576;
            vm.prank(author);
            vm.expectRevert(abi.encodeWithSelector(IModelRegistry.WrongPartSize.selector, size));
            registry.write(1, new bytes(size));
        }
        vm.prank(author);
        registry.write(1, new bytes(24_575));
        assertEq(registry.fileOf(1).length, 24_575, "the largest part");
    }

    // Lineage

    function test_AModelHasAParent() public {
        _publish(0, _stump(-3));
        uint256 child = _publish(1, _stump(-2));
        (, uint256 parent,) = registry.modelOf(child);
        assertEq(parent, 1, "its parent");
    }

    function test_AParentIsSealed() public {
        registry.draft(0);
        for (uint256 parent = 1; parent < 4; ++parent) {
            vm.expectRevert(abi.encodeWithSelector(IModelRegistry.NotSealed.selector, parent));
            registry.draft(parent);
        }
    }

    // Forecasts

    function test_AStumpByHand() public {
        _publish(0, _stump(-3));
        assertTrue(registry.predict(1, _row(-3)) == (10 << 24) - (1 << 24), "equal goes left");
        assertTrue(registry.predict(1, _row(-2)) == (10 << 24) + (1 << 24), "above goes right");
        assertTrue(registry.predict(1, _row(type(int32).min)) == (10 << 24) - (1 << 24), "the least");
        assertTrue(registry.predict(1, _row(type(int32).max)) == (10 << 24) + (1 << 24), "the largest");
    }

    function testFuzz_UpToTheThresholdIsLeft(int32 threshold, int32 value) public {
        _publish(0, _stump(threshold));
        int256 leaf = value <= threshold ? -int256(1 << 24) : int256(1 << 24);
        assertTrue(registry.predict(1, _row(value)) == (10 << 24) + leaf, "the leaf");
    }

    function testFuzz_TheWalkIsThePlainOne(uint256 seed, uint256 leaves, uint256 features, uint256 terms)
        public
    {
        Trees.Shape memory shape = Trees.Shape({
            trees: 1 + seed % 4,
            leaves: within(leaves, 2, 40),
            features: within(features, 1, 20),
            width: 1 + (seed >> 8) % 5,
            terms: terms % 4,
            shift: uint8(seed >> 16) % 64
        });
        bytes memory blob = Trees.grown(shape, seed);
        _publish(0, blob);
        for (uint256 i = 0; i < 4; ++i) {
            int32[] memory row = Trees.row(shape.features + i % 2, seed ^ (i + 1));
            assertTrue(registry.predict(1, row) == Trees.forecast(blob, row), "the forecast");
        }
    }

    function test_TheLargestTreeIsWalked() public {
        bytes memory blob = Trees.grown(Trees.Shape(2, 128, 256, 5, 255, 255), 9);
        _publish(0, blob);
        int32[] memory row = Trees.row(256, 4);
        assertTrue(registry.predict(1, row) == Trees.forecast(blob, row), "the forecast");
    }

    function test_ARowHasEveryFeature() public {
        bytes memory blob = Trees.grown(Trees.Shape(2, 4, 5, 4, 0, 0), 9);
        _publish(0, blob);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.TooFewFeatures.selector, 5, 4));
        registry.predict(1, Trees.row(4, 1));
        assertTrue(registry.predict(1, Trees.row(5, 1)) != 0, "a whole row");
    }

    function testFuzz_AFeatureIsAnInt32(int256 value) public {
        vm.assume(value != int256(int32(value)));
        _publish(0, _stump(-3));
        bytes memory data = abi.encodeWithSelector(registry.predict.selector, 1, 64, 1, value);
        (bool ok, bytes memory reason) = address(registry).staticcall(data);
        assertTrue(!ok, "it is refused");
        assertEq(bytes32(reason), bytes32(IModelRegistry.FeatureOutOfRange.selector), "the reason");
    }

    function test_ThereIsNoForecastOfAModelThatIsNotThere() public {
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.NotSealed.selector, 1));
        registry.predict(1, Trees.row(1, 1));
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 1));
        registry.fileOf(1);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 1));
        registry.tokenURI(1);
    }

    // Gas

    function test_WhatAModelCosts() public {
        bytes memory blob = Trees.grown(Trees.Shape(50, 15, 12, 4, 0, 0), 1);
        bytes memory file = _file(blob);
        vm.prank(author);
        registry.publish(0, file, _digest(blob));
        assertAtMost(
            vm.snapshotGasLastCall("Models", "a model of 50 trees and 15 leaves, published"),
            2_000_000,
            "gas of a model"
        );
        uint256 dearest = 0;
        for (uint256 i = 0; i < 20; ++i) {
            int32[] memory row = Trees.row(12, i);
            registry.predict(1, row);
            uint256 used = vm.lastCallGas().gasTotalUsed;
            if (used > dearest) dearest = used;
        }
        vm.snapshotValue("Models", "its dearest forecast of 20", dearest);
        assertAtMost(dearest, 40_000, "gas of a forecast");
    }

    function _publish(uint256 parent, bytes memory blob) private returns (uint256) {
        return registry.publish(parent, _file(blob), _digest(blob));
    }

    function _publishAs(bytes memory blob) private returns (uint256) {
        return registry.publish(0, _file(blob), _digest(blob));
    }

    function _rejects(bytes memory blob) private {
        bytes memory file = _file(blob);
        bytes32 digest = _digest(blob);
        vm.expectRevert(IModelRegistry.MalformedModel.selector);
        registry.publish(0, file, digest);
    }

    /// @dev One tree of one node: 9 up to the threshold, 11 above it.
    function _stump(int32 threshold) private pure returns (bytes memory) {
        return abi.encodePacked(
            hex"010400010001",
            int64(10 << 24),
            hex"0000",
            hex"01",
            threshold,
            hex"008081",
            -int32(1 << 24),
            int32(1 << 24)
        );
    }

    function _set(uint256 at, uint8 value) private pure returns (bytes memory blob) {
        blob = _stump(-3);
        blob[at] = bytes1(value);
    }

    function _terms() private pure returns (bytes memory) {
        return abi.encodePacked(FEATURES, uint8(2), uint32(12), int64(-1), true);
    }

    function _file(bytes memory blob) private pure returns (bytes memory) {
        return abi.encodePacked(_terms(), CARD, uint16(bytes(CARD_URI).length), CARD_URI, blob);
    }

    function _digest(bytes memory blob) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(2), _terms(), keccak256(blob)));
    }

    function _row(int32 value) private pure returns (int32[] memory row) {
        row = new int32[](1);
        row[0] = value;
    }

    function _slice(bytes memory file, uint256 at, uint256 most) private pure returns (bytes memory part) {
        uint256 size = file.length - at < most ? file.length - at : most;
        part = new bytes(size);
        for (uint256 i = 0; i < size; ++i) {
            part[i] = file[at + i];
        }
    }
}
