// SPDX-License-Identifier: MIT
#include "transfer/compression.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "stores/error.h"

namespace flaky {
namespace {

using Output = std::function<void(std::string_view)>;

constexpr size_t kChunk = 128 << 10;
constexpr int kGzipFormat = 16;  // zlib: added to the number of window bits, it selects gzip streams
constexpr std::string_view kGzipMagic = "\x1f\x8b";
constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd";

class PlainEncoder : public Encoder {
 public:
  explicit PlainEncoder(Output out) : out_(std::move(out)) {}
  void Write(std::string_view bytes) override { out_(bytes); }
  void Finish() override {}

 private:
  Output out_;
};

class GzipEncoder : public Encoder {
 public:
  explicit GzipEncoder(Output out) : out_(std::move(out)), buffer_(kChunk) {
    constexpr int kMemoryLevel = 8;  // zlib's default
    if (deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + kGzipFormat, kMemoryLevel,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
      throw std::bad_alloc();
    }
  }
  ~GzipEncoder() override { deflateEnd(&stream_); }

  void Write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const std::string_view piece = bytes.substr(0, kChunk);
      bytes.remove_prefix(piece.size());
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));  // zlib only reads it
      stream_.avail_in = static_cast<uInt>(piece.size());
      Run(Z_NO_FLUSH);
    }
  }
  void Finish() override { Run(Z_FINISH); }

 private:
  void Run(int flush) {
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
      stream_.avail_out = static_cast<uInt>(buffer_.size());
      deflate(&stream_, flush);
      out_({buffer_.data(), buffer_.size() - stream_.avail_out});
    } while (stream_.avail_out == 0);
  }

  Output out_;
  std::vector<char> buffer_;
  z_stream stream_ = {};
};

class ZstdEncoder : public Encoder {
 public:
  explicit ZstdEncoder(Output out) : out_(std::move(out)), buffer_(ZSTD_CStreamOutSize()), context_(ZSTD_createCCtx()) {
    if (!context_) throw std::bad_alloc();
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
  }

  void Write(std::string_view bytes) override { Run(bytes, ZSTD_e_continue); }
  void Finish() override { Run({}, ZSTD_e_end); }

 private:
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };

  void Run(std::string_view bytes, ZSTD_EndDirective directive) {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    for (bool done = false; !done;) {
      ZSTD_outBuffer out{buffer_.data(), buffer_.size(), 0};
      const size_t left = ZSTD_compressStream2(context_.get(), &out, &in, directive);
      if (ZSTD_isError(left)) throw std::bad_alloc();  // the only possible error of a valid context
      out_({buffer_.data(), out.pos});
      done = directive == ZSTD_e_end ? left == 0 : in.pos == in.size;
    }
  }

  Output out_;
  std::vector<char> buffer_;
  std::unique_ptr<ZSTD_CCtx, Free> context_;
};

// The bytes that were read but not yet used.
class Input {
 public:
  Input(std::function<size_t(char*, size_t)> in, std::string name)
      : in_(std::move(in)), name_(std::move(name)), buffer_(kChunk) {}

  std::string_view Bytes() const { return {buffer_.data() + begin_, end_ - begin_}; }
  void Use(size_t count) { begin_ += count; }

  // Reads until `count` bytes are available or the input ends.
  void Need(size_t count) {
    if (Bytes().size() >= count) return;
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
    while (end_ < count) {
      const size_t got = in_(buffer_.data() + end_, buffer_.size() - end_);
      if (got == 0) return;
      end_ += got;
    }
  }

  [[noreturn]] void Refuse(const std::string& what) const {
    throw StoreError(ErrorKind::kInvalid, name_, "read it", "", what);
  }

 private:
  std::function<size_t(char*, size_t)> in_;
  std::string name_;
  std::vector<char> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
};

class PlainDecoder : public Decoder {
 public:
  explicit PlainDecoder(Input in) : in_(std::move(in)) {}
  size_t Read(char* to, size_t size) override {
    in_.Need(1);
    const std::string_view bytes = in_.Bytes().substr(0, size);
    std::memcpy(to, bytes.data(), bytes.size());
    in_.Use(bytes.size());
    return bytes.size();
  }

 private:
  Input in_;
};

constexpr char kEndsEarly[] = "its compressed data ends early: the file was truncated";

class GzipDecoder : public Decoder {
 public:
  explicit GzipDecoder(Input in) : in_(std::move(in)) {
    if (inflateInit2(&stream_, MAX_WBITS + kGzipFormat) != Z_OK) throw std::bad_alloc();
  }
  ~GzipDecoder() override { inflateEnd(&stream_); }

  size_t Read(char* to, size_t size) override {
    stream_.next_out = reinterpret_cast<Bytef*>(to);
    stream_.avail_out = static_cast<uInt>(std::min(size, kChunk));
    const uInt wanted = stream_.avail_out;
    while (stream_.avail_out == wanted) {
      in_.Need(1);
      const std::string_view bytes = in_.Bytes();
      if (bytes.empty() && between_streams_) break;
      if (std::exchange(between_streams_, false)) inflateReset(&stream_);
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib only reads it
      stream_.avail_in = static_cast<uInt>(bytes.size());
      const int result = inflate(&stream_, Z_NO_FLUSH);
      in_.Use(bytes.size() - stream_.avail_in);
      between_streams_ = result == Z_STREAM_END;
      if (result == Z_MEM_ERROR) throw std::bad_alloc();
      if (result == Z_DATA_ERROR || result == Z_NEED_DICT) {
        in_.Refuse(std::string("its gzip data is damaged: ") +
                   (stream_.msg == nullptr ? "unknown reason" : stream_.msg));
      }
      if (bytes.empty() && stream_.avail_out == wanted) in_.Refuse(kEndsEarly);
    }
    return wanted - stream_.avail_out;
  }

 private:
  Input in_;
  z_stream stream_ = {};
  bool between_streams_ = false;
};

class ZstdDecoder : public Decoder {
 public:
  explicit ZstdDecoder(Input in) : in_(std::move(in)), context_(ZSTD_createDCtx()) {
    if (!context_) throw std::bad_alloc();
  }

  size_t Read(char* to, size_t size) override {
    ZSTD_outBuffer out{to, size, 0};
    while (out.pos == 0) {
      in_.Need(1);
      const std::string_view bytes = in_.Bytes();
      if (bytes.empty() && between_streams_) break;
      ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
      const size_t left = ZSTD_decompressStream(context_.get(), &out, &in);
      in_.Use(in.pos);
      if (ZSTD_isError(left)) in_.Refuse(std::string("its zstd data is damaged: ") + ZSTD_getErrorName(left));
      between_streams_ = left == 0;
      if (bytes.empty() && out.pos == 0 && left != 0) in_.Refuse(kEndsEarly);
    }
    return out.pos;
  }

 private:
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };

  Input in_;
  std::unique_ptr<ZSTD_DCtx, Free> context_;
  bool between_streams_ = false;
};

}  // namespace

Compression CompressionOf(std::string_view file_name) {
  if (file_name.ends_with(".gz")) return Compression::kGzip;
  return file_name.ends_with(".zst") ? Compression::kZstd : Compression::kNone;
}

std::unique_ptr<Encoder> MakeEncoder(Compression compression, std::function<void(std::string_view)> out) {
  switch (compression) {
    case Compression::kGzip:
      return std::make_unique<GzipEncoder>(std::move(out));
    case Compression::kZstd:
      return std::make_unique<ZstdEncoder>(std::move(out));
    case Compression::kNone:
      break;
  }
  return std::make_unique<PlainEncoder>(std::move(out));
}

std::unique_ptr<Decoder> MakeDecoder(std::function<size_t(char*, size_t)> in, const std::string& name) {
  Input input(std::move(in), name);
  input.Need(kZstdMagic.size());
  if (input.Bytes().starts_with(kGzipMagic)) return std::make_unique<GzipDecoder>(std::move(input));
  if (input.Bytes().starts_with(kZstdMagic)) return std::make_unique<ZstdDecoder>(std::move(input));
  return std::make_unique<PlainDecoder>(std::move(input));
}

}  // namespace flaky
