use super::*;

#[test]
fn names_of_the_common_tools_are_recognised() {
    for (path, hash) in [
        // webpack: [name].[contenthash:8].js, 16 and 20 digits; Parcel; gulp-rev; Django; Phoenix; Sprockets.
        ("static/js/main.8f3a21bc.js", "8f3a21bc"),
        ("static/js/main.8f3a21bc.chunk.css", "8f3a21bc"),
        ("static/js/787.0e8a2f1b3c4d5e6f.js", "0e8a2f1b3c4d5e6f"),
        ("app.6fdd75c5ca6cd3a1b7f9.js", "6fdd75c5ca6cd3a1b7f9"),
        ("unicorn-d41d8cd98f.css", "d41d8cd98f"),
        ("css/base.27e20196a850.css", "27e20196a850"),
        (
            "app-eb0a5b9302e8d32828d8a73f137cc8f0.js",
            "eb0a5b9302e8d32828d8a73f137cc8f0",
        ),
        (
            "application-908e25f4bf641868d8683022a5b62f54908e25f4bf641868d8683022a5b62f54.js",
            "908e25f4bf641868d8683022a5b62f54908e25f4bf641868d8683022a5b62f54",
        ),
        ("assets/tide.1fe922be.js", "1fe922be"),
        ("assets/tide.1fe922be.js.map", "1fe922be"),
        // Vite and Rollup: base64url, which may hold separators; base36; esbuild: upper-case base32.
        ("assets/index-CxdrQpfl.js", "CxdrQpfl"),
        ("assets/index-BQ4xKz9P.css", "BQ4xKz9P"),
        ("assets/index-B_x4-9Kd.js", "B_x4-9Kd"),
        ("assets/index-k3j9x0qz.js", "k3j9x0qz"),
        ("out/app-4XQ7KZ2M.js", "4XQ7KZ2M"),
        // Nothing but the hash.
        (
            "media/0e8a2f1b3c4d5e6f0e8a2f1b3c4d5e6f.png",
            "0e8a2f1b3c4d5e6f0e8a2f1b3c4d5e6f",
        ),
    ] {
        assert_eq!(fingerprint(path), Some(hash), "{path}");
    }
}

#[test]
fn ordinary_names_are_left_alone() {
    for path in [
        "index.html",
        "robots.txt",
        "favicon.ico",
        "jquery-3.7.1.min.js",
        "report-20240101.pdf",
        "photo_1234567890.jpg",
        "a-very-long-descriptive-name.css",
        "chunk-DataGrid.js",
        "main-LoginFormPage.js",
        "page-Vector3D.js",
        "site-production.css",
        "font-awesome.min.css",
        "bootstrap.bundle.min.js",
        "deadbeef.js",
        "README",
        "img/logo@2x.png",
        "en-US/strings.json",
        "v2beta3/base64encode.js",
        "release-candidate1.zip",
        "übersicht-größenmaß.html",
    ] {
        assert_eq!(fingerprint(path), None, "{path}");
    }
}
