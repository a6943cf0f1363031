// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IAgentIdentity} from "./interfaces/IAgentIdentity.sol";
import {IAgentValidation} from "./interfaces/IAgentValidation.sol";

/// @title Who checked an agent's work
/// @notice See {IAgentValidation}. For chains without the canonical registry; nobody has power over it.
contract AgentValidation is IAgentValidation {
    struct Validation {
        address validator;
        uint64 lastUpdate;
        uint8 response;
        bool isAnswered;
        uint256 agentId;
        bytes32 responseHash;
        string tag;
    }

    uint8 private constant BEST_RESPONSE = 100;

    address private _identity;
    mapping(bytes32 requestHash => Validation) private _validations;
    mapping(uint256 agentId => bytes32[]) private _ofAgent;
    mapping(address validator => bytes32[]) private _ofValidator;

    /// @param identityRegistry_ Zero for a contract that `initialize` is called on, such as a proxy's code.
    constructor(address identityRegistry_) {
        if (identityRegistry_ != address(0)) initialize(identityRegistry_);
    }

    /// @inheritdoc IAgentValidation
    function validationRequest(
        address validatorAddress,
        uint256 agentId,
        string calldata requestURI,
        bytes32 requestHash
    ) external {
        if (validatorAddress == address(0)) revert ZeroValidator();
        if (!IAgentIdentity(_identity).isAuthorizedOrOwner(msg.sender, agentId)) {
            revert NotAuthorized(msg.sender, agentId);
        }
        Validation storage validation = _validations[requestHash];
        if (validation.validator != address(0)) revert RequestExists(requestHash);
        validation.validator = validatorAddress;
        validation.agentId = agentId;
        validation.lastUpdate = uint64(block.timestamp);
        _ofAgent[agentId].push(requestHash);
        _ofValidator[validatorAddress].push(requestHash);
        emit ValidationRequest(validatorAddress, agentId, requestURI, requestHash);
    }

    /// @inheritdoc IAgentValidation
    function validationResponse(
        bytes32 requestHash,
        uint8 response,
        string calldata responseURI,
        bytes32 responseHash,
        string calldata tag
    ) external {
        Validation storage validation = _known(requestHash);
        if (msg.sender != validation.validator) revert NotValidator(msg.sender, requestHash);
        if (response > BEST_RESPONSE) revert ResponseOutOfRange(response);
        validation.response = response;
        validation.responseHash = responseHash;
        validation.tag = tag;
        validation.lastUpdate = uint64(block.timestamp);
        validation.isAnswered = true;
        emit ValidationResponse(
            msg.sender, validation.agentId, requestHash, response, responseURI, responseHash, tag
        );
    }

    /// @inheritdoc IAgentValidation
    function getValidationStatus(bytes32 requestHash)
        external
        view
        returns (address, uint256, uint8, bytes32, string memory, uint256)
    {
        Validation storage validation = _known(requestHash);
        return (
            validation.validator,
            validation.agentId,
            validation.response,
            validation.responseHash,
            validation.tag,
            validation.lastUpdate
        );
    }

    /// @inheritdoc IAgentValidation
    function getSummary(uint256 agentId, address[] calldata validatorAddresses, string calldata tag)
        external
        view
        returns (uint64 count, uint8 avgResponse)
    {
        bytes32[] storage requests = _ofAgent[agentId];
        uint256 sum = 0;
        for (uint256 i = 0; i < requests.length; ++i) {
            Validation storage validation = _validations[requests[i]];
            bool counts = validation.isAnswered && _isAmong(validation.validator, validatorAddresses)
                && (bytes(tag).length == 0 || keccak256(bytes(validation.tag)) == keccak256(bytes(tag)));
            if (!counts) continue;
            sum += validation.response;
            ++count;
        }
        if (count != 0) avgResponse = uint8(sum / count);
    }

    /// @inheritdoc IAgentValidation
    function getIdentityRegistry() external view returns (address) {
        return _identity;
    }

    /// @inheritdoc IAgentValidation
    function getAgentValidations(uint256 agentId) external view returns (bytes32[] memory) {
        return _ofAgent[agentId];
    }

    /// @inheritdoc IAgentValidation
    function getValidatorRequests(address validatorAddress) external view returns (bytes32[] memory) {
        return _ofValidator[validatorAddress];
    }

    /// @inheritdoc IAgentValidation
    function getVersion() external pure returns (string memory) {
        return "2.0.0";
    }

    /// @inheritdoc IAgentValidation
    function initialize(address identityRegistry_) public {
        if (_identity != address(0)) revert AlreadyInitialized();
        if (identityRegistry_ == address(0)) revert ZeroRegistry();
        _identity = identityRegistry_;
    }

    function _known(bytes32 requestHash) private view returns (Validation storage validation) {
        validation = _validations[requestHash];
        if (validation.validator == address(0)) revert RequestNotFound(requestHash);
    }

    function _isAmong(address validator, address[] calldata named) private pure returns (bool) {
        if (named.length == 0) return true;
        for (uint256 i = 0; i < named.length; ++i) {
            if (named[i] == validator) return true;
        }
        return false;
    }
}
