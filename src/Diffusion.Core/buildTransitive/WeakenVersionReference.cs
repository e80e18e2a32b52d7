// An MSBuild task, compiled by RoslynCodeTaskFactory when a build needs it (see Diffusion.Core.targets) against .NET Standard 2.0.
#nullable disable
using System;
using System.Collections.Generic;
using System.IO;
using Microsoft.Build.Framework;

namespace Diffusion.Build;

/// <summary>
/// Copies a 64-bit little-endian ELF library and marks one of its symbol-version references as weak, so that the dynamic
/// loader accepts an older provider of that version. The source file is never written to.
/// </summary>
public sealed class WeakenVersionReference : Microsoft.Build.Utilities.Task
{
    /// <summary>The library to copy.</summary>
    [Required]
    public string Source { get; set; }

    /// <summary>Where the changed copy goes. It appears whole or not at all.</summary>
    [Required]
    public string Destination { get; set; }

    /// <summary>The version whose reference becomes weak, such as <c>GLIBCXX_3.4.32</c>.</summary>
    [Required]
    public string Version { get; set; }

    /// <inheritdoc/>
    public override bool Execute()
    {
        var temporary = Destination + "." + Guid.NewGuid().ToString("N") + ".tmp";
        try
        {
            var image = File.ReadAllBytes(Source);
            Weaken(image, Version);
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(Destination)));
            File.WriteAllBytes(temporary, image);
            File.Delete(Destination);
            File.Move(temporary, Destination);
        }
        catch (Exception e) when (e is IOException || e is UnauthorizedAccessException || e is InvalidDataException)
        {
            Discard(temporary);
            Discard(Destination); // a copy of an earlier build must not stand in for one that cannot be made
            Log.LogWarning(
                null, "DIFFUSION001", null, Source, 0, 0, 0, 0,
                "TorchSharp's native library needs {0} of libstdc++ and could not be made to load without it ({1}). "
                + "Where the program runs, install libstdc++ of GCC 13.2 or newer (Debian 13, Ubuntu 24.04, Fedora 39 and later have it); "
                + "setting the property DiffusionNativeFix to 'off' hides this message.",
                Version, e.Message);
        }

        return !Log.HasLoggedErrors;
    }

    /// <summary>Sets the weak flag on the references to <paramref name="version"/>; returns how many were not weak before.</summary>
    /// <exception cref="InvalidDataException">
    /// Not a 64-bit little-endian ELF file, damaged, without such a reference, or with code that really uses a symbol of that version.
    /// </exception>
    public static int Weaken(byte[] image, string version)
    {
        try
        {
            return new ElfImage(image).Weaken(version);
        }
        catch (Exception e) when (e is ArgumentException || e is OverflowException || e is IndexOutOfRangeException)
        {
            throw new InvalidDataException("the ELF file is damaged", e);
        }
    }

    private static void Discard(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException || e is UnauthorizedAccessException)
        {
            // The warning that follows says what matters.
        }
    }

    /// <summary>
    /// What the task needs of an ELF image (System V ABI, chapter 5; Linux Standard Base, "Symbol Versioning"). Reads outside the
    /// array throw ArgumentException or IndexOutOfRangeException, and every walk is bounded by the size of the image.
    /// </summary>
    private sealed class ElfImage
    {
        private const uint LoadSegment = 1, DynamicSegment = 2;
        private const long EndTag = 0, PltSizeTag = 2, StringsTag = 5, RelocationsTag = 7, RelocationsSizeTag = 8, PltTag = 23;
        private const long VersionIndicesTag = 0x6FFFFFF0, NeededVersionsTag = 0x6FFFFFFE;
        private const int RecordSize = 16, RelocationSize = 24; // Elf64_Verneed and Elf64_Vernaux; Elf64_Rela
        private const byte WeakFlag = 2; // VER_FLG_WEAK

        private readonly byte[] _image;
        private readonly List<long[]> _segments = new List<long[]>(); // (file offset, address, size in the file)
        private readonly Dictionary<long, long> _dynamic = new Dictionary<long, long>();

        public ElfImage(byte[] image)
        {
            if (image.Length < 64 || image[0] != 0x7F || image[1] != 'E' || image[2] != 'L' || image[3] != 'F' || image[4] != 2 || image[5] != 1)
            {
                throw new InvalidDataException("not a 64-bit little-endian ELF file");
            }

            _image = image;
            if (Int64(40) > image.Length - UInt16(58) * UInt16(60)) // the section headers: usually the end of the file
            {
                throw new InvalidDataException("the ELF file is cut off");
            }

            int entrySize = UInt16(54), entries = UInt16(56);
            for (var i = 0; i < entries; i++)
            {
                var at = checked(Int64(32) + (long)i * entrySize);
                var type = UInt32(at);
                long offset = Int64(at + 8), size = Int64(at + 32);
                if ((type == LoadSegment || type == DynamicSegment) && (offset < 0 || size < 0 || offset > image.Length - size))
                {
                    throw new InvalidDataException("the ELF file is cut off");
                }

                if (type == LoadSegment)
                {
                    _segments.Add(new[] { offset, Int64(at + 16), size });
                }
                else if (type == DynamicSegment)
                {
                    for (var tag = offset; tag < offset + size && Int64(tag) != EndTag; tag += 16)
                    {
                        _dynamic[Int64(tag)] = Int64(tag + 8);
                    }
                }
            }
        }

        public int Weaken(string version)
        {
            var found = References(version);
            if (found.Count == 0)
            {
                throw new InvalidDataException("the file has no reference to " + version);
            }

            var indices = new HashSet<int>();
            foreach (var reference in found)
            {
                indices.Add(UInt16(reference + 6)); // vna_other
            }

            if (IsUsed(indices, RelocationsTag, RelocationsSizeTag) || IsUsed(indices, PltTag, PltSizeTag))
            {
                throw new InvalidDataException("its code uses symbols of " + version);
            }

            var changed = 0;
            foreach (var reference in found)
            {
                changed += (_image[reference + 4] & WeakFlag) == 0 ? 1 : 0; // vna_flags
                _image[reference + 4] |= WeakFlag;
            }

            return changed;
        }

        private List<long> References(string version)
        {
            var found = new List<long>();
            var strings = FileOffset(StringsTag);
            var records = 0;
            for (long need = FileOffset(NeededVersionsTag), next = -1; next != 0; need += next)
            {
                var entry = need + UInt32(need + 8); // vn_aux
                for (int i = 0, entries = UInt16(need + 2); i < entries; i++) // vn_cnt
                {
                    if (++records > _image.Length / RecordSize)
                    {
                        throw new InvalidDataException("the ELF file is damaged");
                    }

                    if (IsText(strings + UInt32(entry + 8), version)) // vna_name
                    {
                        found.Add(entry);
                    }

                    entry += UInt32(entry + 12); // vna_next
                }

                next = UInt32(need + 12); // vn_next
                if (UInt16(need) != 1 || (next != 0 && next < RecordSize)) // vn_version
                {
                    throw new InvalidDataException("the ELF file is damaged");
                }
            }

            return found;
        }

        /// <summary>Whether a relocation of the table refers to a symbol that has one of the version indices.</summary>
        private bool IsUsed(HashSet<int> versionIndices, long tableTag, long sizeTag)
        {
            if (!_dynamic.TryGetValue(sizeTag, out var size) || size == 0)
            {
                return false;
            }

            if (size < 0 || size > _image.Length)
            {
                throw new InvalidDataException("the ELF file is damaged");
            }

            long table = FileOffset(tableTag), versions = FileOffset(VersionIndicesTag);
            for (var at = table; at < table + size; at += RelocationSize)
            {
                var symbol = UInt32(at + 12); // the upper half of r_info
                if (symbol != 0 && versionIndices.Contains(UInt16(versions + 2L * symbol) & 0x7FFF))
                {
                    return true;
                }
            }

            return false;
        }

        private long FileOffset(long tag)
        {
            if (_dynamic.TryGetValue(tag, out var address))
            {
                foreach (var segment in _segments)
                {
                    if (address >= segment[1] && address - segment[1] < segment[2])
                    {
                        return address - segment[1] + segment[0];
                    }
                }
            }

            throw new InvalidDataException("the file has no version references");
        }

        private bool IsText(long at, string text)
        {
            for (var i = 0; i < text.Length; i++)
            {
                if (_image[at + i] != text[i])
                {
                    return false;
                }
            }

            return _image[at + text.Length] == 0;
        }

        private ushort UInt16(long at) => BitConverter.ToUInt16(_image, checked((int)at));

        private uint UInt32(long at) => BitConverter.ToUInt32(_image, checked((int)at));

        private long Int64(long at) => BitConverter.ToInt64(_image, checked((int)at));
    }
}
