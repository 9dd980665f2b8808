// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title IRegistry
/// @notice Who takes part and with which keys, which resources there are and how they are shared, and the breaker that
/// stops them.
///
/// Sources, resources and purposes are known by the SHA-256 of their names in UTF-8.
///
/// Powers of the roles, all of them:
/// - `DEFAULT_ADMIN_ROLE`, governance, gives and takes all three roles, and does nothing else.
/// - `REGISTRAR_ROLE` adds sources, adds and ends their keys, sets resources, and resets the breaker.
/// - `GUARDIAN_ROLE` trips the breaker. It cannot reset it.
///
/// The constructor gives each role to one account. Nobody can remove a source, a resource or a key, take a version
/// back, or change for which past times a key was valid. There is no proxy and no upgrade.
///
/// @dev State proofs may rely on the storage layout. With `kind` the number of a `Kind` and `.` joining words:
/// - `keccak256(id . keccak256(kind . 1))`: an entry. From the lowest bits: `trippedAt` (64), `version` (32, zero while
///   unknown, 1 for a source), `sharing` (8), `level` (8).
/// - `keccak256(resource . 2)`: the resource's owner; the next slot: its digest.
/// - `keccak256(key . keccak256(source . 3))`: a key. From the lowest bits: `from` (64), `until` (64).
interface IRegistry {
    /// @notice What a breaker stops.
    enum Kind {
        Everything,
        Source,
        Resource
    }

    /// @notice How a resource is shared: with every source, with those that have a grant, or with none.
    enum Sharing {
        None,
        Unconditional,
        Conditional,
        Prohibited
    }

    /// @notice What to trip or reset.
    /// @param kind what it is
    /// @param id which one; zero for everything
    struct Target {
        Kind kind;
        bytes32 id;
    }

    /// @notice A source was added.
    event SourceAdded(bytes32 indexed source, string uri);

    /// @notice A key is the source's at times `from <= t < until`, in seconds.
    event KeyAdded(bytes32 indexed source, address indexed key, uint64 from, uint64 until);

    /// @notice A key is the source's no longer, from the time of this block.
    event KeyEnded(bytes32 indexed source, address indexed key);

    /// @notice A resource is new, in version 1, or was changed.
    event ResourceSet(
        bytes32 indexed resource,
        uint32 indexed version,
        bytes32 indexed owner,
        Sharing sharing,
        uint8 level,
        bytes32 digest,
        string name
    );

    /// @notice A breaker was tripped.
    event Tripped(Kind indexed kind, bytes32 indexed id, address indexed guardian, string reason);

    /// @notice A breaker was reset.
    event Reset(Kind indexed kind, bytes32 indexed id, address indexed registrar, string reason);

    /// @notice This source was added before.
    error Registry_SourceKnown(bytes32 source);

    /// @notice This source was never added.
    error Registry_SourceUnknown(bytes32 source);

    /// @notice The zero address is nobody's key.
    error Registry_KeyZero();

    /// @notice This source has had this key before: a key's period neither changes its beginning nor is followed by
    /// another.
    error Registry_KeyKnown(bytes32 source, address key);

    /// @notice The key's period would be over before it begins.
    error Registry_PeriodEmpty(uint64 from, uint64 until);

    /// @notice The source does not have this key now.
    error Registry_KeyInvalid(bytes32 source, address key);

    /// @notice A resource is shared in some way.
    error Registry_SharingMissing(bytes32 resource);

    /// @notice There is no such source or resource, or an id was given for everything.
    error Registry_TargetUnknown(Kind kind, bytes32 id);

    /// @notice The breaker is tripped already.
    error Registry_TargetTripped(Kind kind, bytes32 id);

    /// @notice The breaker is not tripped.
    error Registry_TargetNotTripped(Kind kind, bytes32 id);

    /// @notice Adds a source, for ever. Only for `REGISTRAR_ROLE`.
    /// @param uri its name, the CloudEvents `source` of its records
    /// @return source its id: SHA-256 of the name
    function addSource(string calldata uri) external returns (bytes32 source);

    /// @notice Gives a source a key from now on. Only for `REGISTRAR_ROLE`.
    /// @dev A source may have several keys, and two sources the same one. To rotate, add the new key, then end the old.
    /// @param until the first second at which the key is the source's no longer, unless it is ended before
    function addKey(bytes32 source, address key, uint64 until) external;

    /// @notice Takes a key from a source from now on. What it signed before stays valid. Only for `REGISTRAR_ROLE`.
    function endKey(bytes32 source, address key) external;

    /// @notice Adds a resource, or changes it and counts its version up. Only for `REGISTRAR_ROLE`.
    /// @param name its catalogue id, the CloudEvents `subject` of records
    /// @param owner the source that answers for it
    /// @param sharing how it is shared
    /// @param level its level on the catalogue's own scale, zero if it has none
    /// @param digest SHA-256 of its catalogue entry
    /// @return resource its id: SHA-256 of the name
    function setResource(
        string calldata name,
        bytes32 owner,
        Sharing sharing,
        uint8 level,
        bytes32 digest
    ) external returns (bytes32 resource);

    /// @notice Stops everything, a source (as consumer, and with the resources that it owns) or a resource. Only for
    /// `GUARDIAN_ROLE`.
    function trip(Target calldata target, string calldata reason) external;

    /// @notice Ends a trip. Only for `REGISTRAR_ROLE`.
    function reset(Target calldata target, string calldata reason) external;

    /// @notice Whether an address is a source's key at a time. The answer for a time before the present never changes.
    /// @param time in seconds
    function isKeyOf(bytes32 source, address key, uint64 time) external view returns (bool);

    /// @notice When an address is a source's key: at times `from <= t < until`. Both zero: never.
    function keyPeriod(bytes32 source, address key) external view returns (uint64 from, uint64 until);

    /// @notice Whether a source was added.
    function isSource(bytes32 source) external view returns (bool);

    /// @notice What is registered of a resource. `version` is zero and `sharing` is `None` while there is nothing.
    function resource(
        bytes32 id
    ) external view returns (uint32 version, bytes32 owner, Sharing sharing, uint8 level, bytes32 digest);

    /// @notice Whether this breaker is tripped. It says nothing of others: where everything is tripped, a resource's own
    /// breaker need not be.
    function isTripped(Target calldata target) external view returns (bool);

    /// @notice Since when this breaker is tripped, in seconds; zero if it is not.
    function trippedAt(Target calldata target) external view returns (uint64);

    /// @notice The block that created this registry, where whoever follows it starts.
    function deploymentBlock() external view returns (uint256);

    /// @notice What there is to know before a source uses a resource.
    /// @return known whether there is such a source
    /// @return sharing how the resource is shared; `None` if there is no such resource
    /// @return tripped whether a breaker is tripped: of everything, the source, the resource, or the resource's owner
    function standing(
        bytes32 source,
        bytes32 resource_
    ) external view returns (bool known, Sharing sharing, bool tripped);
}
