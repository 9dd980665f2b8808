// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title MerkleLog
/// @notice An append-only Merkle tree as in RFC 9162, section 2.1, over the SHA-256 precompile.
/// @dev A leaf is `SHA-256(0x00 || data)`, a node `SHA-256(0x01 || left || right)`. A tree of `size` leaves is a row
/// of perfect subtrees, one for every set bit of `size`, the largest first; their roots are the peaks. Only the peaks
/// are stored, so that state grows by one slot for each doubling of the size.
///
/// Leaves are pushed in three steps: `draft`, `push` for each leaf, `commit`. A draft holds the new peaks in memory,
/// so that each slot is written at most once, however many leaves there are.
library MerkleLog {
    /// @notice `size` stays far below 2^64, since every leaf costs gas. `frontier[level]` is the peak of 2^level leaves
    /// if `size` has that bit. Otherwise it is what an earlier peak left there: harmless, since nothing reads it before
    /// it is written again.
    struct Log {
        uint256 size;
        bytes32[64] frontier;
    }

    /// @notice `count` leaves that are to follow the first `first` ones, of which `nodes` holds what `push` returned.
    /// The peak of any level that ends with one of them is that leaf's node.
    struct Draft {
        uint256 first;
        uint256 count;
        bytes32[] nodes;
    }

    /// @notice SHA-256 of nothing, the root of an empty log.
    bytes32 internal constant EMPTY_ROOT = 0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855;

    /// @notice The path does not have the one length that the index and the size allow.
    error MerkleLog_PathLength(uint256 expected, uint256 actual);

    /// @notice A tree of this size has no such leaf.
    error MerkleLog_IndexOutOfRange(uint256 index, uint256 size);

    /// @notice Consistency is defined for `0 < size1 <= size2` only.
    error MerkleLog_SizeOutOfRange(uint256 size1, uint256 size2);

    /// @notice The path leads to another root than the expected one.
    error MerkleLog_RootMismatch(bytes32 expected, bytes32 actual);

    /// @notice Starts pushing up to `capacity` leaves.
    function draft(Log storage log, uint256 capacity) internal view returns (Draft memory) {
        return Draft({first: log.size, count: 0, nodes: new bytes32[](capacity)});
    }

    /// @notice Pushes one leaf.
    /// @return index the leaf's place in the log
    /// @return node the root of the perfect subtree that this leaf completes: the new last peak, whose height is the
    /// number of trailing one bits of `index`
    function push(
        Draft memory draft_,
        Log storage log,
        bytes32 leafHash
    ) internal view returns (uint256 index, bytes32 node) {
        // No overflow: the size is small, and `end - first - 1` is taken only where `end` is larger than `first`.
        unchecked {
            uint256 first = draft_.first;
            uint256 count = draft_.count;
            index = first + count;
            node = leafHash;
            for (uint256 level = 0; (index >> level) & 1 == 1; ++level) {
                uint256 end = (index >> level) << level;
                node = hashNode(end > first ? draft_.nodes[end - first - 1] : log.frontier[level], node);
            }
            draft_.nodes[count] = node;
            draft_.count = count + 1;
        }
    }

    /// @notice Stores the peaks that end with a new leaf.
    function commit(Draft memory draft_, Log storage log) internal {
        // No overflow, as in `push`.
        unchecked {
            uint256 first = draft_.first;
            uint256 size = first + draft_.count;
            uint256 end = size;
            for (uint256 level = 0; end > first; end = (size >> level) << level) {
                if ((size >> level) & 1 == 1) log.frontier[level] = draft_.nodes[end - first - 1];
                ++level;
            }
            log.size = size;
        }
    }

    /// @notice The Merkle tree hash of the log (RFC 9162, section 2.1.1).
    function root(Log storage log) internal view returns (bytes32 hash) {
        uint256 size = log.size;
        if (size == 0) return EMPTY_ROOT;
        uint256 level = _trailingZeros(size);
        hash = log.frontier[level];
        while (size >> ++level != 0) {
            if ((size >> level) & 1 == 1) hash = hashNode(log.frontier[level], hash);
        }
    }

    /// @notice The roots of the perfect subtrees, the largest (and oldest) first.
    function peaks(Log storage log) internal view returns (bytes32[] memory hashes) {
        uint256 size = log.size;
        hashes = new bytes32[](_bitCount(size));
        for (uint256 i = 0; size != 0; ++i) {
            uint256 level = Math.log2(size);
            hashes[i] = log.frontier[level];
            size ^= 1 << level;
        }
    }

    /// @notice Verifies a leaf against the peak that covers it.
    /// @dev The path is the lower part of the leaf's inclusion path, up to the peak. It costs two cold SLOADs, the
    /// size and one peak, where the root would cost all peaks; and it holds until that peak is merged into a larger
    /// one, where a path to the root would fail as soon as anyone appends.
    function verifyLeaf(Log storage log, uint64 index, bytes32 leafHash, bytes32[] calldata path) internal view {
        uint256 size = log.size;
        if (index >= size) revert MerkleLog_IndexOutOfRange(index, size);
        // All leaves below a peak share their index bits above its height with each other, and at its height have
        // a zero where the size has a one: the first bit in which index and size differ.
        uint256 height = Math.log2(index ^ size);
        if (path.length != height) revert MerkleLog_PathLength(height, path.length);
        _requireRoot(log.frontier[height], _climb(leafHash, index, path));
    }

    /// @notice Verifies an inclusion path (RFC 9162, section 2.1.3.2).
    /// @dev The algorithm of the RFC walks two indices up, the leaf's and the last leaf's. As long as they differ the
    /// lowest bit of the leaf's tells its side. Once they are equal the node is the last of its level: it is promoted
    /// where its index is even and has a sibling, always on the left, where its index is odd. Hence the length of the
    /// path follows from index and size alone. A path of any other length is refused, so that a promoted leaf has one
    /// path only, and neither a shorter nor a longer one proves it at another depth.
    function verifyInclusion(
        bytes32 root_,
        uint64 size,
        uint64 index,
        bytes32 leafHash,
        bytes32[] calldata path
    ) internal view {
        if (index >= size) revert MerkleLog_IndexOutOfRange(index, size);
        uint256 inner = _bitLength(index ^ (size - 1));
        uint256 length = inner + _bitCount(uint256(index) >> inner);
        if (path.length != length) revert MerkleLog_PathLength(length, path.length);
        _requireRoot(root_, _climb(leafHash, _sides(index, inner), path));
    }

    /// @notice Verifies that a tree of `size2` leaves begins with the tree of `size1` leaves (RFC 9162, section
    /// 2.1.4.2).
    function verifyConsistency(
        bytes32 root1,
        uint64 size1,
        bytes32 root2,
        uint64 size2,
        bytes32[] calldata path
    ) internal view {
        if (size1 == 0 || size1 > size2) revert MerkleLog_SizeOutOfRange(size1, size2);
        if (size1 == size2) {
            if (path.length != 0) revert MerkleLog_PathLength(0, path.length);
            return _requireRoot(root2, root1);
        }
        // The proof is an inclusion path of the first tree's last peak in the second tree. It begins with that peak,
        // unless the peak is the whole first tree and root1 already tells it.
        uint256 height = _trailingZeros(size1);
        uint256 index = (uint256(size1) - 1) >> height;
        uint256 inner = _bitLength(index ^ ((uint256(size2) - 1) >> height));
        uint256 length = inner + _bitCount(index >> inner) + (index == 0 ? 0 : 1);
        if (path.length != length) revert MerkleLog_PathLength(length, path.length);
        (bytes32 peak, bytes32[] calldata rest) = index == 0 ? (root1, path) : (path[0], path[1:]);
        uint256 sides = _sides(index, inner);
        _requireRoot(root1, _climbLeft(peak, sides, rest));
        _requireRoot(root2, _climb(peak, sides, rest));
    }

    /// @notice `SHA-256(0x00 || data)`.
    function hashLeaf(bytes calldata data) internal view returns (bytes32 hash) {
        // Assembly, because sha256(bytes) would copy the data twice more. The preimage is laid out past the free memory
        // pointer; nothing of it is kept, so the pointer stays.
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            let preimage := mload(0x40)
            mstore8(preimage, 0)
            calldatacopy(add(preimage, 1), data.offset, data.length)
            // The precompile fails only for want of gas.
            if iszero(staticcall(gas(), 0x02, preimage, add(data.length, 1), 0x00, 0x20)) {
                revert(0x00, 0x00)
            }
            hash := mload(0x00)
        }
    }

    /// @notice `SHA-256(0x01 || left || right)`.
    function hashNode(bytes32 left, bytes32 right) internal view returns (bytes32 hash) {
        // Assembly, because sha256(bytes) would copy its input twice. The preimage has 65 bytes, one more than the
        // scratch space, so it is laid out past the free memory pointer; nothing of it is kept, so the pointer stays.
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            let preimage := mload(0x40)
            mstore8(preimage, 1)
            mstore(add(preimage, 0x01), left)
            mstore(add(preimage, 0x21), right)
            // The precompile fails only for want of gas.
            if iszero(staticcall(gas(), 0x02, preimage, 0x41, 0x00, 0x20)) {
                revert(0x00, 0x00)
            }
            hash := mload(0x00)
        }
    }

    /// @dev Bit i of the result is set if the node that meets element i of a path is the right child: bit i of its
    /// index below `inner`, always above.
    function _sides(uint256 index, uint256 inner) private pure returns (uint256) {
        return index | (type(uint256).max << inner);
    }

    /// @dev Hashes a node with its path to the root that they imply.
    function _climb(bytes32 node, uint256 sides, bytes32[] calldata path) private view returns (bytes32 hash) {
        hash = node;
        // hashNode() without a branch for the side: `shift` moves the node from the left place to the right one and
        // the sibling the other way. The path's bounds were checked when the call was decoded.
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            let preimage := mload(0x40)
            mstore8(preimage, 1)
            let left := add(preimage, 0x01)
            let right := add(preimage, 0x21)
            let end := add(path.offset, shl(5, path.length))
            for {
                let element := path.offset
            } lt(element, end) {
                element := add(element, 0x20)
            } {
                let shift := shl(5, and(sides, 1))
                mstore(add(left, shift), hash)
                mstore(sub(right, shift), calldataload(element))
                // The precompile fails only for want of gas.
                if iszero(staticcall(gas(), 0x02, preimage, 0x41, 0x00, 0x20)) {
                    revert(0x00, 0x00)
                }
                hash := mload(0x00)
                sides := shr(1, sides)
            }
        }
    }

    /// @dev Hashes a node with the left siblings of its path only: the tree as it was when the node was its last one.
    function _climbLeft(bytes32 node, uint256 sides, bytes32[] calldata path) private view returns (bytes32 hash) {
        hash = node;
        for (uint256 i = 0; i < path.length; ++i) {
            if ((sides >> i) & 1 == 1) hash = hashNode(path[i], hash);
        }
    }

    function _requireRoot(bytes32 expected, bytes32 actual) private pure {
        if (expected != actual) revert MerkleLog_RootMismatch(expected, actual);
    }

    function _bitLength(uint256 value) private pure returns (uint256) {
        return 256 - Math.clz(value);
    }

    function _bitCount(uint256 value) private pure returns (uint256 count) {
        while (value != 0) {
            value &= value - 1;
            ++count;
        }
    }

    function _trailingZeros(uint256 value) private pure returns (uint256) {
        return Math.log2(value & (~value + 1));
    }
}
