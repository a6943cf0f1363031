// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Who checked an agent's work (ERC-8004, validation registry)
/// @notice An agent's owner asks a validator to check something; the validator, and he alone, answers with 0 to 100, as
/// often as he likes: the last answer counts, events keep the others.
interface IAgentValidation {
    /// @notice A validator was asked.
    event ValidationRequest(
        address indexed validatorAddress,
        uint256 indexed agentId,
        string requestURI,
        bytes32 indexed requestHash
    );

    /// @notice A validator answered.
    event ValidationResponse(
        address indexed validatorAddress,
        uint256 indexed agentId,
        bytes32 indexed requestHash,
        uint8 response,
        string responseURI,
        bytes32 responseHash,
        string tag
    );

    /// @notice The identity registry is set once.
    error AlreadyInitialized();
    /// @notice There is no identity registry at address zero.
    error ZeroRegistry();
    /// @notice There is no validator at address zero.
    error ZeroValidator();
    /// @notice Neither the agent's owner nor approved by him.
    error NotAuthorized(address caller, uint256 agentId);
    /// @notice A request is made once.
    error RequestExists(bytes32 requestHash);
    /// @notice There is no such request.
    error RequestNotFound(bytes32 requestHash);
    /// @notice Only the validator who was asked answers.
    error NotValidator(address caller, bytes32 requestHash);
    /// @notice An answer is 0 to 100.
    error ResponseOutOfRange(uint8 response);

    /// @notice Say which identity registry counts, once.
    function initialize(address identityRegistry_) external;

    /// @notice The registry whose agents are validated.
    function getIdentityRegistry() external view returns (address);

    /// @notice Ask a validator. Only who acts for the agent may.
    /// @param requestHash What the request is known by: the digest of what is at `requestURI`.
    function validationRequest(
        address validatorAddress,
        uint256 agentId,
        string calldata requestURI,
        bytes32 requestHash
    ) external;

    /// @notice Answer a request. Only the validator who was asked may.
    function validationResponse(
        bytes32 requestHash,
        uint8 response,
        string calldata responseURI,
        bytes32 responseHash,
        string calldata tag
    ) external;

    /// @notice Where a request stands; `lastUpdate` is the last answer's time, before one the request's.
    function getValidationStatus(bytes32 requestHash)
        external
        view
        returns (
            address validatorAddress,
            uint256 agentId,
            uint8 response,
            bytes32 responseHash,
            string memory tag,
            uint256 lastUpdate
        );

    /// @notice The mean of the answers, rounded down.
    /// @param validatorAddresses Only theirs; all where none is named.
    /// @param tag Only answers with this tag; empty for any.
    function getSummary(uint256 agentId, address[] calldata validatorAddresses, string calldata tag)
        external
        view
        returns (uint64 count, uint8 avgResponse);

    /// @notice The requests about an agent.
    function getAgentValidations(uint256 agentId) external view returns (bytes32[] memory);

    /// @notice The requests to a validator.
    function getValidatorRequests(address validatorAddress) external view returns (bytes32[] memory);

    /// @notice The version of the reference contracts that this behaves like.
    function getVersion() external pure returns (string memory);
}
