// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IAuthorizations} from "./interfaces/IAuthorizations.sol";
import {IRegistry} from "./interfaces/IRegistry.sol";

/// @title Authorizations
/// @notice See IAuthorizations.
contract Authorizations is IAuthorizations, EIP712 {
    /// @dev The subject is not kept: whoever acts for it shows the grant, and the id tells that it is the same.
    struct Terms {
        bytes32 consumer;
        bytes32 resource;
        bytes32 purpose;
        uint64 notBefore;
        uint64 notAfter;
        uint32 maxCalls;
        uint64 calls;
        bool given;
        bool paused;
    }

    bytes32 private constant GRANT_TYPEHASH = keccak256(
        "Grant(address subject,bytes32 consumer,bytes32 resource,bytes32 purpose,uint64 notBefore,uint64 notAfter,uint32 maxCalls,uint256 nonce)"
    );
    bytes32 private constant REVOKE_TYPEHASH = keccak256("Revoke(bytes32 grant,uint64 deadline)");

    /// @inheritdoc IAuthorizations
    IRegistry public immutable registry;

    /// @inheritdoc IAuthorizations
    mapping(bytes32 grantId => uint64 time) public revokedAt;
    mapping(bytes32 grantId => Terms) private _terms;

    constructor(IRegistry registry_) EIP712("Tidemark", "1") {
        registry = registry_;
    }

    /// @inheritdoc IAuthorizations
    function grant(Grant calldata grant_, bytes calldata signature) external returns (bytes32 id) {
        id = grantId(grant_);
        _requireNotRevoked(id);
        Terms storage terms = _terms[id];
        if (terms.given) revert Authorizations_GrantKnown(id);
        if (msg.sender != grant_.subject) _requireSigned(grant_.subject, id, signature);
        _terms[id] = _termsOf(grant_, terms.paused);
        emit Granted(id, grant_.subject, grant_);
    }

    /// @inheritdoc IAuthorizations
    function revoke(Grant calldata grant_) external {
        _revoke(_idOfOwn(grant_), msg.sender);
    }

    /// @inheritdoc IAuthorizations
    function revokeBySignature(Grant calldata grant_, uint64 deadline, bytes calldata signature) external {
        if (block.timestamp > deadline) revert Authorizations_SignatureExpired(deadline);
        bytes32 id = grantId(grant_);
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(REVOKE_TYPEHASH, id, deadline)));
        _requireSigned(grant_.subject, digest, signature);
        _revoke(id, grant_.subject);
    }

    /// @inheritdoc IAuthorizations
    function pause(Grant calldata grant_) external {
        bytes32 id = _idOfOwn(grant_);
        _requireNotRevoked(id);
        if (_terms[id].paused) revert Authorizations_GrantPaused(id);
        _terms[id].paused = true;
        emit Paused(id, msg.sender);
    }

    /// @inheritdoc IAuthorizations
    function resume(Grant calldata grant_) external {
        bytes32 id = _idOfOwn(grant_);
        _requireNotRevoked(id);
        if (!_terms[id].paused) revert Authorizations_GrantNotPaused(id);
        _terms[id].paused = false;
        emit Resumed(id, msg.sender);
    }

    /// @inheritdoc IAuthorizations
    function request(
        bytes32 consumer,
        bytes32 resource,
        bytes32 purpose,
        bytes32 id
    ) external returns (bool allowed, Reason reason) {
        if (!registry.isKeyOf(consumer, msg.sender, uint64(block.timestamp))) {
            revert Authorizations_NotConsumer(consumer, msg.sender);
        }
        (allowed, reason) = decide(consumer, resource, purpose, id);
        if (reason == Reason.Allowed) ++_terms[id].calls;
        emit Requested(id, consumer, resource, purpose, msg.sender, reason);
    }

    /// @inheritdoc IAuthorizations
    function decideWith(
        bytes32 consumer,
        bytes32 resource,
        bytes32 purpose,
        Grant calldata grant_,
        bytes calldata signature
    ) external view returns (bool allowed, Reason reason) {
        reason = _withoutGrant(consumer, resource);
        if (reason == Reason.NoGrant) {
            bytes32 id = grantId(grant_);
            Terms memory terms = _terms[id];
            if (!terms.given) {
                if (!SignatureChecker.isValidSignatureNowCalldata(grant_.subject, id, signature)) {
                    return (false, Reason.NotSigned);
                }
                terms = _termsOf(grant_, terms.paused);
            }
            reason = _withGrant(consumer, resource, purpose, id, terms);
        }
        allowed = _allows(reason);
    }

    /// @inheritdoc IAuthorizations
    function grantState(bytes32 id) external view returns (bool given, bool paused, uint64 calls) {
        Terms storage terms = _terms[id];
        return (terms.given, terms.paused, terms.calls);
    }

    /// @inheritdoc IAuthorizations
    function decide(
        bytes32 consumer,
        bytes32 resource,
        bytes32 purpose,
        bytes32 id
    ) public view returns (bool allowed, Reason reason) {
        reason = _withoutGrant(consumer, resource);
        if (reason == Reason.NoGrant) {
            Terms memory terms = _terms[id];
            if (terms.given) reason = _withGrant(consumer, resource, purpose, id, terms);
        }
        allowed = _allows(reason);
    }

    /// @inheritdoc IAuthorizations
    function grantId(Grant calldata grant_) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(GRANT_TYPEHASH, grant_)));
    }

    function _revoke(bytes32 id, address subject) private {
        _requireNotRevoked(id);
        revokedAt[id] = uint64(block.timestamp);
        emit Revoked(id, subject);
    }

    /// @dev What the registry alone decides; `NoGrant` where it leaves the decision to a grant.
    function _withoutGrant(bytes32 consumer, bytes32 resource) private view returns (Reason) {
        (bool known, IRegistry.Sharing sharing, bool tripped) = registry.standing(consumer, resource);
        if (!known) return Reason.UnknownSource;
        if (sharing == IRegistry.Sharing.None) return Reason.UnknownResource;
        if (tripped) return Reason.Tripped;
        if (sharing == IRegistry.Sharing.Prohibited) return Reason.Prohibited;
        if (sharing == IRegistry.Sharing.Unconditional) return Reason.Unconditional;
        return Reason.NoGrant;
    }

    function _withGrant(
        bytes32 consumer,
        bytes32 resource,
        bytes32 purpose,
        bytes32 id,
        Terms memory terms
    ) private view returns (Reason) {
        if (terms.consumer != consumer) return Reason.WrongConsumer;
        if (terms.resource != resource) return Reason.WrongResource;
        if (terms.purpose != purpose) return Reason.WrongPurpose;
        if (revokedAt[id] != 0) return Reason.Revoked;
        if (terms.paused) return Reason.Paused;
        return _inForce(terms);
    }

    function _inForce(Terms memory terms) private view returns (Reason) {
        if (block.timestamp < terms.notBefore) return Reason.NotYetValid;
        if (block.timestamp > terms.notAfter) return Reason.Expired;
        if (terms.maxCalls != 0 && terms.calls >= terms.maxCalls) return Reason.Exhausted;
        return Reason.Allowed;
    }

    function _idOfOwn(Grant calldata grant_) private view returns (bytes32) {
        if (msg.sender != grant_.subject) revert Authorizations_NotSubject(grant_.subject, msg.sender);
        return grantId(grant_);
    }

    function _requireNotRevoked(bytes32 id) private view {
        if (revokedAt[id] != 0) revert Authorizations_GrantRevoked(id);
    }

    function _requireSigned(address subject, bytes32 digest, bytes calldata signature) private view {
        if (!SignatureChecker.isValidSignatureNowCalldata(subject, digest, signature)) {
            revert Authorizations_SignatureInvalid(subject);
        }
    }

    function _termsOf(Grant calldata grant_, bool paused) private pure returns (Terms memory) {
        return
            Terms({
                consumer: grant_.consumer,
                resource: grant_.resource,
                purpose: grant_.purpose,
                notBefore: grant_.notBefore,
                notAfter: grant_.notAfter,
                maxCalls: grant_.maxCalls,
                calls: 0,
                given: true,
                paused: paused
            });
    }

    function _allows(Reason reason) private pure returns (bool) {
        return reason == Reason.Allowed || reason == Reason.Unconditional;
    }
}
