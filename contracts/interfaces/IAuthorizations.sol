// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IRegistry} from "./IRegistry.sol";

/// @title IAuthorizations
/// @notice What data subjects allow, and whether a call is allowed.
///
/// Nobody has power over the grants of others: only a grant's subject gives, pauses, resumes and revokes it. There are
/// no roles, no proxy and no upgrade.
///
/// @dev EIP-712 domain: name "Tidemark", version "1", chainId, verifyingContract. A grant's id is its digest. State
/// proofs may rely on the storage slot `keccak256(grantId . 2)`: the time of the revocation in seconds, or zero. It is
/// written at most once.
interface IAuthorizations {
    /// @notice What a subject allows; times in seconds.
    /// @param subject who allows it: a wallet, or an account with code that signs by ERC-1271
    /// @param consumer the source that may call: SHA-256 of its name
    /// @param resource what it may call: SHA-256 of the catalogue id
    /// @param purpose what for: SHA-256 of the purpose
    /// @param notBefore the first second at which it holds
    /// @param notAfter the last second at which it holds
    /// @param maxCalls how many calls, zero for any number
    /// @param nonce tells grants apart that are otherwise the same
    struct Grant {
        address subject;
        bytes32 consumer;
        bytes32 resource;
        bytes32 purpose;
        uint64 notBefore;
        uint64 notAfter;
        uint32 maxCalls;
        uint256 nonce;
    }

    /// @notice The reasons of a decision, in the order in which they are looked for: the first that applies is given.
    /// `Unconditional` and `Allowed` allow the call, all others refuse it.
    enum Reason {
        /// the registry has no such consumer
        UnknownSource,
        /// the registry has no such resource
        UnknownResource,
        /// the breaker is tripped: of everything, the consumer, the resource, or the resource's owner
        Tripped,
        /// the resource is not shared
        Prohibited,
        /// the resource is shared without a grant
        Unconditional,
        /// the resource needs a grant, and this one was not given
        NoGrant,
        /// the signature is not the subject's, or over another grant, chain or contract
        NotSigned,
        /// the grant is for another consumer
        WrongConsumer,
        /// the grant is for another resource
        WrongResource,
        /// the grant is for another purpose
        WrongPurpose,
        /// the subject has revoked the grant
        Revoked,
        /// the subject has paused the grant
        Paused,
        /// the grant does not hold yet
        NotYetValid,
        /// the grant holds no longer
        Expired,
        /// the grant's calls are used up
        Exhausted,
        /// the grant is in force
        Allowed
    }

    /// @notice A subject gave a grant.
    event Granted(bytes32 indexed grantId, address indexed subject, Grant grant);

    /// @notice The subject revoked a grant, for ever, as of the time of this block.
    event Revoked(bytes32 indexed grantId, address indexed subject);

    /// @notice The subject paused a grant.
    event Paused(bytes32 indexed grantId, address indexed subject);

    /// @notice The subject ended the pause.
    event Resumed(bytes32 indexed grantId, address indexed subject);

    /// @notice A consumer asked for a call, and this was the decision.
    event Requested(
        bytes32 indexed grantId,
        bytes32 indexed consumer,
        bytes32 indexed resource,
        bytes32 purpose,
        address key,
        Reason reason
    );

    /// @notice The grant was given before.
    error Authorizations_GrantKnown(bytes32 grantId);

    /// @notice The grant is revoked.
    error Authorizations_GrantRevoked(bytes32 grantId);

    /// @notice The grant is paused already.
    error Authorizations_GrantPaused(bytes32 grantId);

    /// @notice The grant is not paused.
    error Authorizations_GrantNotPaused(bytes32 grantId);

    /// @notice The caller is not the grant's subject.
    error Authorizations_NotSubject(address subject, address caller);

    /// @notice The signature was good until `deadline`.
    error Authorizations_SignatureExpired(uint64 deadline);

    /// @notice The signature is not the subject's, or over something else.
    error Authorizations_SignatureInvalid(address subject);

    /// @notice The caller is no key of the consumer.
    error Authorizations_NotConsumer(bytes32 consumer, address caller);

    /// @notice Puts a grant on the chain. Anyone may, with the subject's signature; the subject needs none.
    /// @param signature the subject's over the grant; not looked at when the subject calls
    function grant(Grant calldata grant_, bytes calldata signature) external returns (bytes32 id);

    /// @notice Revokes a grant, for ever, whether it was put on the chain or not. Only for its subject.
    /// @dev Calls before the block's time stay what they were.
    function revoke(Grant calldata grant_) external;

    /// @notice Revokes a grant whose subject has signed the revocation; anyone may send it.
    /// @dev The type is `Revoke(bytes32 grant,uint64 deadline)` with the grant's id.
    /// @param deadline the last second, in block time, at which the signature is good
    /// @param signature the subject's
    function revokeBySignature(Grant calldata grant_, uint64 deadline, bytes calldata signature) external;

    /// @notice Keeps a grant from being in force until it is resumed. Only for its subject.
    function pause(Grant calldata grant_) external;

    /// @notice Ends a pause. Only for the grant's subject.
    function resume(Grant calldata grant_) external;

    /// @notice Decides on a call by a key of its consumer, counts it if a grant allows it, and logs the decision. A call
    /// that is refused is logged too and does not revert.
    /// @dev Parameters and decision are those of `decide`.
    function request(
        bytes32 consumer,
        bytes32 resource,
        bytes32 purpose,
        bytes32 id
    ) external returns (bool allowed, Reason reason);

    /// @notice Whether a call would be allowed in this block.
    /// @param consumer the source that calls
    /// @param resource what it calls
    /// @param purpose what for
    /// @param id of a grant that was put on the chain; not looked at where the resource needs none
    function decide(
        bytes32 consumer,
        bytes32 resource,
        bytes32 purpose,
        bytes32 id
    ) external view returns (bool allowed, Reason reason);

    /// @notice As `decide`, with a grant that need not be on the chain.
    /// @dev What such a grant allowed off the chain is not counted here.
    /// @param signature the subject's over the grant; not looked at where the grant is on the chain
    function decideWith(
        bytes32 consumer,
        bytes32 resource,
        bytes32 purpose,
        Grant calldata grant_,
        bytes calldata signature
    ) external view returns (bool allowed, Reason reason);

    /// @notice A grant's id: its EIP-712 digest.
    function grantId(Grant calldata grant_) external view returns (bytes32);

    /// @notice When a grant was revoked, in seconds; zero if it was not.
    function revokedAt(bytes32 id) external view returns (uint64);

    /// @notice What is known of a grant besides its revocation.
    /// @return given whether it was put on the chain
    /// @return paused whether its subject has paused it
    /// @return calls how many calls `request` has allowed under it
    function grantState(bytes32 id) external view returns (bool given, bool paused, uint64 calls);

    /// @notice The registry that decisions rest on.
    function registry() external view returns (IRegistry);
}
