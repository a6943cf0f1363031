// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Who an agent is (ERC-8004, identity registry)
/// @notice ERC-721 tokens, one for each agent. The token's URI leads to the agent's registration file; next to it stand
/// metadata and the agent's wallet, which has signed that it is.
/// @dev Agents are numbered from 0. The wallet is the metadata under the key "agentWallet", which nothing else sets.
interface IAgentIdentity {
    struct MetadataEntry {
        string metadataKey;
        bytes metadataValue;
    }

    /// @notice An agent was registered.
    event Registered(uint256 indexed agentId, string agentURI, address indexed owner);

    /// @notice Metadata of an agent was set; of the wallet too, empty where it has none any more.
    event MetadataSet(
        uint256 indexed agentId, string indexed indexedMetadataKey, string metadataKey, bytes metadataValue
    );

    /// @notice An agent's registration file was moved.
    event URIUpdated(uint256 indexed agentId, string newURI, address indexed updatedBy);

    /// @notice Neither the agent's owner nor approved by him.
    error NotAuthorized(address caller, uint256 agentId);
    /// @notice The wallet isn't set like other metadata: it has to sign.
    error ReservedKey();
    /// @notice There is no wallet at address zero.
    error ZeroWallet();
    /// @notice The signature is too old, or holds for longer than five minutes.
    error DeadlineOutOfRange(uint256 deadline);
    /// @notice The wallet has not signed this.
    error WrongSignature(address wallet);

    /// @notice Register an agent without a file.
    function register() external returns (uint256 agentId);

    /// @notice Register an agent.
    function register(string calldata agentURI) external returns (uint256 agentId);

    /// @notice Register an agent with metadata.
    function register(string calldata agentURI, MetadataEntry[] calldata metadata)
        external
        returns (uint256 agentId);

    /// @notice Move an agent's registration file.
    function setAgentURI(uint256 agentId, string calldata newURI) external;

    /// @notice Metadata of an agent; empty where it was never set.
    function getMetadata(uint256 agentId, string calldata metadataKey) external view returns (bytes memory);

    /// @notice Set metadata of an agent, under any key but the wallet's.
    function setMetadata(uint256 agentId, string calldata metadataKey, bytes calldata metadataValue) external;

    /// @notice The agent's wallet: its owner's address until another was set, zero after it was transferred.
    function getAgentWallet(uint256 agentId) external view returns (address);

    /// @notice Set an agent's wallet.
    /// @param deadline At most five minutes ahead.
    /// @param signature The new wallet's, over
    /// AgentWalletSet(uint256 agentId,address newWallet,address owner,uint256 deadline), by EIP-712 or ERC-1271.
    function setAgentWallet(uint256 agentId, address newWallet, uint256 deadline, bytes calldata signature)
        external;

    /// @notice Leave an agent without a wallet.
    function unsetAgentWallet(uint256 agentId) external;

    /// @notice Whether an account may act for an agent: its owner, or approved by him.
    function isAuthorizedOrOwner(address spender, uint256 agentId) external view returns (bool);

    /// @notice The version of the reference contracts that this behaves like.
    function getVersion() external pure returns (string memory);
}
