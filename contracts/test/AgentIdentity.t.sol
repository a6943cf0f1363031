// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

import {IAgentIdentity} from "../src/interfaces/IAgentIdentity.sol";
import {RegistryFixture} from "./support/RegistryFixture.sol";

/// @dev A wallet that is a contract: it has signed whatever it is told to.
contract ContractWallet is IERC1271 {
    bytes32 private immutable signed;

    constructor(bytes32 digest) {
        signed = digest;
    }

    function isValidSignature(bytes32 digest, bytes calldata) external view returns (bytes4) {
        return digest == signed ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}

contract AgentIdentityTest is RegistryFixture {
    uint256 private constant KEY = 0xA11CE;
    bytes32 private constant TYPEHASH =
        keccak256("AgentWalletSet(uint256 agentId,address newWallet,address owner,uint256 deadline)");

    function test_AgentsAreNumberedFromZero() public view {
        assertEq(identity.ownerOf(0), stranger, "the first agent's owner");
        assertEq(agentId, 1, "the second agent's number");
        assertEq(identity.ownerOf(1), owner, "its owner");
        assertText(identity.tokenURI(1), AGENT_URI, "its file");
        assertText(identity.tokenURI(0), "", "the first one's file");
        assertEq(identity.getAgentWallet(1), owner, "its wallet");
        assertText(identity.name(), "AgentIdentity", "the name");
        assertText(identity.symbol(), "AGENT", "the symbol");
        assertText(identity.getVersion(), "2.0.0", "the version");
    }

    function test_RegisteringTellsEverything() public {
        IAgentIdentity.MetadataEntry[] memory metadata = new IAgentIdentity.MetadataEntry[](2);
        metadata[0] = IAgentIdentity.MetadataEntry("vault", hex"1234");
        metadata[1] = IAgentIdentity.MetadataEntry("model", "");
        vm.expectEmit(address(identity));
        emit IAgentIdentity.Registered(2, AGENT_URI, owner);
        vm.expectEmit(address(identity));
        emit IAgentIdentity.MetadataSet(2, "agentWallet", "agentWallet", abi.encodePacked(owner));
        vm.expectEmit(address(identity));
        emit IERC721.Transfer(address(0), owner, 2);
        vm.expectEmit(address(identity));
        emit IAgentIdentity.MetadataSet(2, "vault", "vault", hex"1234");
        vm.prank(owner);
        uint256 id = identity.register(AGENT_URI, metadata);
        assertEq(keccak256(identity.getMetadata(id, "vault")), keccak256(hex"1234"), "its vault");
        assertEq(identity.getMetadata(id, "other").length, 0, "what was never set");
    }

    function test_TheWalletIsNotSetLikeOtherMetadata() public {
        IAgentIdentity.MetadataEntry[] memory metadata = new IAgentIdentity.MetadataEntry[](1);
        metadata[0] = IAgentIdentity.MetadataEntry("agentWallet", abi.encodePacked(stranger));
        vm.prank(owner);
        vm.expectRevert(IAgentIdentity.ReservedKey.selector);
        identity.register(AGENT_URI, metadata);
        vm.prank(owner);
        vm.expectRevert(IAgentIdentity.ReservedKey.selector);
        identity.setMetadata(agentId, "agentWallet", abi.encodePacked(stranger));
    }

    function test_OwnerAndOperatorChangeAnAgent() public {
        address[2] memory both = [owner, operator];
        for (uint256 i = 0; i < 2; ++i) {
            assertTrue(identity.isAuthorizedOrOwner(both[i], agentId), "he is authorised");
            vm.expectEmit(address(identity));
            emit IAgentIdentity.URIUpdated(agentId, "ipfs://file", both[i]);
            vm.prank(both[i]);
            identity.setAgentURI(agentId, "ipfs://file");
            assertText(identity.tokenURI(agentId), "ipfs://file", "its file");
            bytes memory value = abi.encode(i);
            vm.prank(both[i]);
            identity.setMetadata(agentId, "key", value);
            assertEq(keccak256(identity.getMetadata(agentId, "key")), keccak256(value), "its metadata");
        }
    }

    function test_NobodyElseChangesAnAgent() public {
        bytes memory reason = abi.encodeWithSelector(IAgentIdentity.NotAuthorized.selector, stranger, agentId);
        assertTrue(!identity.isAuthorizedOrOwner(stranger, agentId), "he is not authorised");
        vm.prank(stranger);
        vm.expectRevert(reason);
        identity.setAgentURI(agentId, "ipfs://file");
        vm.prank(stranger);
        vm.expectRevert(reason);
        identity.setMetadata(agentId, "key", "");
        vm.prank(stranger);
        vm.expectRevert(reason);
        identity.unsetAgentWallet(agentId);
        bytes memory signature = _signed(agentId, vm.getBlockTimestamp());
        vm.prank(stranger);
        vm.expectRevert(reason);
        identity.setAgentWallet(agentId, vm.addr(KEY), 0, signature);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 9));
        identity.isAuthorizedOrOwner(stranger, 9);
    }

    function test_AWalletSignsThatItIsTheAgents() public {
        uint256 deadline = vm.getBlockTimestamp() + 5 minutes;
        bytes memory signature = _signed(agentId, deadline);
        vm.expectEmit(address(identity));
        emit IAgentIdentity.MetadataSet(agentId, "agentWallet", "agentWallet", abi.encodePacked(vm.addr(KEY)));
        vm.prank(operator);
        identity.setAgentWallet(agentId, vm.addr(KEY), deadline, signature);
        assertEq(identity.getAgentWallet(agentId), vm.addr(KEY), "its wallet");
        bytes memory stored = identity.getMetadata(agentId, "agentWallet");
        assertEq(keccak256(stored), keccak256(abi.encodePacked(vm.addr(KEY))), "as metadata");

        vm.prank(owner);
        identity.unsetAgentWallet(agentId);
        assertEq(identity.getAgentWallet(agentId), address(0), "no wallet");
        assertEq(identity.getMetadata(agentId, "agentWallet").length, 0, "as metadata");
    }

    function test_AWalletThatIsAContractSigns() public {
        uint256 deadline = vm.getBlockTimestamp();
        // The wallet's address is part of what it signs: it is created where it is foreseen.
        address foreseen = _createAddress(1);
        ContractWallet wallet = new ContractWallet(_digest(agentId, foreseen, owner, deadline));
        assertEq(address(wallet), foreseen, "the wallet's address");
        vm.prank(owner);
        identity.setAgentWallet(agentId, address(wallet), deadline, "");
        assertEq(identity.getAgentWallet(agentId), address(wallet), "its wallet");
    }

    function test_ASignatureIsOfThisAgentThisWalletThisOwnerThisDeadline() public {
        uint256 deadline = vm.getBlockTimestamp() + 60;
        address wallet = vm.addr(KEY);
        bytes[4] memory wrong = [
            _signed(0, deadline),
            _signed(agentId, deadline + 1),
            _sign(_digest(agentId, wallet, stranger, deadline)),
            _sign(_digest(agentId, stranger, owner, deadline))
        ];
        for (uint256 i = 0; i < wrong.length; ++i) {
            vm.prank(owner);
            vm.expectRevert(abi.encodeWithSelector(IAgentIdentity.WrongSignature.selector, wallet));
            identity.setAgentWallet(agentId, wallet, deadline, wrong[i]);
        }
        bytes memory right = _signed(agentId, deadline);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(IAgentIdentity.WrongSignature.selector, stranger));
        identity.setAgentWallet(agentId, stranger, deadline, right);
        vm.prank(owner);
        vm.expectRevert(IAgentIdentity.ZeroWallet.selector);
        identity.setAgentWallet(agentId, address(0), deadline, right);
    }

    function test_ASignatureHoldsForFiveMinutesAtMost() public {
        uint256 now_ = vm.getBlockTimestamp();
        uint256[2] memory wrong = [now_ - 1, now_ + 5 minutes + 1];
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory signature = _signed(agentId, wrong[i]);
            vm.prank(owner);
            vm.expectRevert(abi.encodeWithSelector(IAgentIdentity.DeadlineOutOfRange.selector, wrong[i]));
            identity.setAgentWallet(agentId, vm.addr(KEY), wrong[i], signature);
        }
    }

    function test_ANewOwnerHasNoWalletYet() public {
        vm.expectEmit(address(identity));
        emit IAgentIdentity.MetadataSet(agentId, "agentWallet", "agentWallet", "");
        vm.prank(owner);
        identity.transferFrom(owner, stranger, agentId);
        assertEq(identity.getAgentWallet(agentId), address(0), "its wallet");
        assertTrue(identity.isAuthorizedOrOwner(stranger, agentId), "the new owner");
        assertTrue(!identity.isAuthorizedOrOwner(owner, agentId), "the old owner");
        assertTrue(!identity.isAuthorizedOrOwner(operator, agentId), "his operator");
    }

    /// @dev A contract that can't hold tokens registers no agent: this test is one.
    function test_AnOwnerCanHoldTokens() public {
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721InvalidReceiver.selector, address(this)));
        identity.register();
    }

    function _signed(uint256 id, uint256 deadline) private view returns (bytes memory) {
        return _sign(_digest(id, vm.addr(KEY), owner, deadline));
    }

    function _sign(bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, digest);
        return abi.encodePacked(r, s, v);
    }

    function _digest(uint256 id, address wallet, address owner_, uint256 deadline)
        private
        view
        returns (bytes32)
    {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("ERC8004IdentityRegistry"),
                keccak256("1"),
                block.chainid,
                identity
            )
        );
        return keccak256(
            abi.encodePacked(hex"1901", domain, keccak256(abi.encode(TYPEHASH, id, wallet, owner_, deadline)))
        );
    }

    /// @dev Where this test's next contract will stand.
    function _createAddress(uint256 skipped) private returns (address) {
        ContractWallet probe = new ContractWallet(0);
        for (uint256 nonce = 1; nonce < 0x7f; ++nonce) {
            if (_addressAt(nonce) == address(probe)) return _addressAt(nonce + skipped);
        }
        revert("no such nonce");
    }

    function _addressAt(uint256 nonce) private view returns (address) {
        bytes memory list = abi.encodePacked(hex"d694", address(this), uint8(nonce));
        return address(uint160(uint256(keccak256(list))));
    }
}
